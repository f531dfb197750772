/** What generated code asks for: in production, refusals have no messages. Bundlers put the value in. */
declare const process: { env: { NODE_ENV?: string } };
