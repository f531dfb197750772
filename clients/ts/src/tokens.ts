/** Associated token accounts of SPL Token, in which depositors, operators' payees and relayers are paid. */
import {
  AccountRole,
  getAddressEncoder,
  getProgramDerivedAddress,
  type AccountSignerMeta,
  type Address,
  type Instruction,
  type TransactionSigner,
} from "@solana/kit";

/** SPL Token. */
export const TOKEN_PROGRAM_ADDRESS =
  "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA" as Address<"TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA">;
/** The program that owns the addresses of associated token accounts. */
export const ASSOCIATED_TOKEN_PROGRAM_ADDRESS =
  "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL" as Address<"ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL">;
const SYSTEM_PROGRAM_ADDRESS =
  "11111111111111111111111111111111" as Address<"11111111111111111111111111111111">;

/** A holder's token account for a mint. */
export async function findTokenAccount(
  holder: Address,
  mint: Address,
): Promise<Address> {
  const encoder = getAddressEncoder();
  const [address] = await getProgramDerivedAddress({
    programAddress: ASSOCIATED_TOKEN_PROGRAM_ADDRESS,
    seeds: [
      encoder.encode(holder),
      encoder.encode(TOKEN_PROGRAM_ADDRESS),
      encoder.encode(mint),
    ],
  });
  return address;
}

/** Makes a holder's token account for a mint, unless it exists. */
export async function getCreateTokenAccountInstruction(input: {
  payer: TransactionSigner;
  holder: Address;
  mint: Address;
}): Promise<Instruction> {
  const { payer, holder, mint } = input;
  // With its signer, so that a message with this instruction can be signed by all that it names.
  const paying: AccountSignerMeta = {
    address: payer.address,
    role: AccountRole.WRITABLE_SIGNER,
    signer: payer,
  };
  return {
    programAddress: ASSOCIATED_TOKEN_PROGRAM_ADDRESS,
    accounts: [
      paying,
      {
        address: await findTokenAccount(holder, mint),
        role: AccountRole.WRITABLE,
      },
      { address: holder, role: AccountRole.READONLY },
      { address: mint, role: AccountRole.READONLY },
      { address: SYSTEM_PROGRAM_ADDRESS, role: AccountRole.READONLY },
      { address: TOKEN_PROGRAM_ADDRESS, role: AccountRole.READONLY },
    ],
    // CreateIdempotent.
    data: new Uint8Array([1]),
  };
}
