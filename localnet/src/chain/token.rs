//! SPL tokens of both programs, as far as RPC shows them.
//!
//! Accounts of Token-2022 begin with the same layout; behind it stand one byte for the kind and the
//! extensions. Amounts are shown without interest-bearing and scaled-amount extensions.

use solana_account::Account;
use solana_account_decoder::{
    parse_account_data::SplTokenAdditionalDataV2, parse_token::token_amount_to_ui_amount_v3,
};
use solana_program_pack::Pack;
use solana_pubkey::Pubkey;
use spl_token_interface::state::{Account as TokenAccount, Mint};

/// What `getTokenSupply` and its like answer with.
pub(crate) type UiAmount = solana_rpc_client_api::response::UiTokenAmount;

/// The program with extensions.
pub(crate) const TOKEN_2022: Pubkey =
    Pubkey::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");

/// Kinds in the byte behind the common layout, which is as long as a token account.
const KIND_MINT: u8 = 1;
const KIND_ACCOUNT: u8 = 2;

/// Whether the address is one of the token programs.
pub(crate) fn is_program(address: &Pubkey) -> bool {
    *address == spl_token_interface::ID || *address == TOKEN_2022
}

/// The account as a token account.
pub(crate) fn account(account: &Account) -> Option<TokenAccount> {
    let data = layout::<TokenAccount>(account, KIND_ACCOUNT)?;
    TokenAccount::unpack(data).ok()
}

/// The account as a mint.
pub(crate) fn mint(account: &Account) -> Option<Mint> {
    let data = layout::<Mint>(account, KIND_MINT)?;
    Mint::unpack(data).ok()
}

fn layout<T: Pack>(account: &Account, kind: u8) -> Option<&[u8]> {
    let data = account.data.as_slice();
    let plain = data.len() == T::LEN;
    let extended = account.owner == TOKEN_2022
        && data
            .get(TokenAccount::LEN)
            .is_some_and(|byte| *byte == kind);
    (is_program(&account.owner) && (plain || extended)).then(|| data.get(..T::LEN))?
}

/// An amount with its decimals.
pub(crate) fn ui_amount(amount: u64, decimals: u8) -> UiAmount {
    token_amount_to_ui_amount_v3(amount, &SplTokenAdditionalDataV2::with_decimals(decimals))
}
