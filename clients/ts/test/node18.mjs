// Node 18, which Debian 12 has, keeps WebCrypto in a module; later ones have it as a global.
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto;
