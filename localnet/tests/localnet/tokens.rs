//! SPL tokens: made at genesis and by clients.

use solana_keypair::Keypair;
use solana_message::Message;
use solana_program_pack::Pack;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::request::TokenAccountsFilter;
use solana_signer::Signer;
use solana_system_interface::instruction as system;
use solana_transaction::Transaction;
use solana_transaction_status_client_types::{
    UiTransactionEncoding, option_serializer::OptionSerializer,
};
use spl_associated_token_account_interface::{
    address::get_associated_token_address, instruction::create_associated_token_account_idempotent,
};
use spl_token_interface::{instruction as token, state::Mint};
use veilpool_localnet::GenesisToken;

use crate::support::{Fixture, refusal};

fn genesis_token(authority: Pubkey, holder: Pubkey) -> GenesisToken {
    GenesisToken {
        mint: Pubkey::new_from_array([3; 32]),
        decimals: 6,
        authority,
        holders: vec![(holder, 1_500_000)],
    }
}

#[tokio::test]
async fn a_token_of_the_genesis_has_its_supply_authority_and_holders() {
    let rich = Keypair::new_from_array([7; 32]).pubkey();
    let issued = genesis_token(rich, rich);
    let fixture = Fixture::with(|config| config.tokens.push(issued.clone())).await;
    let supply = fixture.client.get_token_supply(&issued.mint).await.unwrap();
    assert_eq!(
        (
            supply.amount.as_str(),
            supply.decimals,
            supply.ui_amount_string.as_str()
        ),
        ("1500000", 6, "1.5")
    );
    let mint = Mint::unpack(&fixture.client.get_account_data(&issued.mint).await.unwrap()).unwrap();
    assert_eq!(
        (mint.mint_authority, mint.freeze_authority),
        (Some(rich).into(), None.into())
    );
    let own = get_associated_token_address(&rich, &issued.mint);
    assert_eq!(
        fixture
            .client
            .get_token_account_balance(&own)
            .await
            .unwrap()
            .amount,
        "1500000"
    );
    // Its authority can mint, its holder can send, through the ATA program's account for another.
    let other = Pubkey::new_unique();
    let theirs = get_associated_token_address(&other, &issued.mint);
    let program = spl_token_interface::ID;
    let transaction = fixture
        .signed(&[
            create_associated_token_account_idempotent(&rich, &other, &issued.mint, &program),
            token::mint_to(&program, &issued.mint, &theirs, &rich, &[], 5).unwrap(),
            token::transfer_checked(&program, &own, &issued.mint, &theirs, &rich, &[], 10, 6)
                .unwrap(),
        ])
        .await;
    let signature = fixture
        .client
        .send_and_confirm_transaction(&transaction)
        .await
        .unwrap();
    assert_eq!(
        fixture
            .client
            .get_token_account_balance(&theirs)
            .await
            .unwrap()
            .amount,
        "15"
    );
    assert_eq!(
        fixture
            .client
            .get_token_supply(&issued.mint)
            .await
            .unwrap()
            .amount,
        "1500005"
    );

    let told = fixture
        .client
        .get_transaction(&signature, UiTransactionEncoding::Base64)
        .await
        .unwrap();
    let meta = told.transaction.meta.unwrap();
    let keys = transaction.message.account_keys;
    let amounts = |balances: OptionSerializer<
        Vec<solana_transaction_status_client_types::UiTransactionTokenBalance>,
    >| {
        let OptionSerializer::Some(balances) = balances else {
            panic!("no balances")
        };
        let mut amounts: Vec<_> = balances
            .into_iter()
            .map(|balance| {
                (
                    keys[usize::from(balance.account_index)],
                    balance.ui_token_amount.amount,
                )
            })
            .collect();
        amounts.sort();
        amounts
    };
    assert_eq!(
        amounts(meta.pre_token_balances),
        [(own, "1500000".to_owned())]
    );
    let mut after = [(own, "1499990".to_owned()), (theirs, "15".to_owned())];
    after.sort();
    assert_eq!(amounts(meta.post_token_balances), after);
    // What the ATA program called is told: the system and the token program.
    let OptionSerializer::Some(inner) = meta.inner_instructions else {
        panic!("no inner instructions")
    };
    assert_eq!(inner.len(), 1);
    assert_eq!(inner[0].index, 0);
    assert!(inner[0].instructions.len() >= 3, "{inner:?}");
}

#[tokio::test]
async fn a_client_makes_mints_and_moves_a_token_of_its_own() {
    let fixture = Fixture::new().await;
    let (rich, mint, program) = (
        fixture.rich.pubkey(),
        Keypair::new(),
        spl_token_interface::ID,
    );
    let rent = fixture
        .client
        .get_minimum_balance_for_rent_exemption(Mint::LEN)
        .await
        .unwrap();
    let (own, other) = (
        get_associated_token_address(&rich, &mint.pubkey()),
        Pubkey::new_unique(),
    );
    let theirs = get_associated_token_address(&other, &mint.pubkey());
    let instructions = [
        system::create_account(&rich, &mint.pubkey(), rent, Mint::LEN as u64, &program),
        token::initialize_mint2(&program, &mint.pubkey(), &rich, None, 2).unwrap(),
        create_associated_token_account_idempotent(&rich, &rich, &mint.pubkey(), &program),
        token::mint_to(&program, &mint.pubkey(), &own, &rich, &[], 700).unwrap(),
    ];
    let message = Message::new(&instructions, Some(&rich));
    let transaction = Transaction::new(&[&fixture.rich, &mint], message, fixture.blockhash().await);
    fixture
        .client
        .send_and_confirm_transaction(&transaction)
        .await
        .unwrap();
    let transaction = fixture
        .signed(&[
            create_associated_token_account_idempotent(&rich, &other, &mint.pubkey(), &program),
            token::transfer_checked(&program, &own, &mint.pubkey(), &theirs, &rich, &[], 300, 2)
                .unwrap(),
        ])
        .await;
    fixture
        .client
        .send_and_confirm_transaction(&transaction)
        .await
        .unwrap();
    assert_eq!(
        fixture
            .client
            .get_token_account_balance(&own)
            .await
            .unwrap()
            .ui_amount_string,
        "4"
    );
    assert_eq!(
        fixture
            .client
            .get_token_account_balance(&theirs)
            .await
            .unwrap()
            .ui_amount_string,
        "3"
    );

    let held = fixture
        .client
        .get_token_accounts_by_owner(&other, TokenAccountsFilter::Mint(mint.pubkey()))
        .await
        .unwrap();
    assert_eq!(
        held.iter()
            .map(|account| account.pubkey.as_str())
            .collect::<Vec<_>>(),
        [theirs.to_string()]
    );
    // The client asks for parsed accounts.
    let parsed = serde_json::to_value(&held[0].account.data).unwrap();
    assert_eq!(parsed["parsed"]["info"]["tokenAmount"]["amount"], "300");
    assert_eq!(parsed["parsed"]["info"]["owner"], other.to_string());
    let all = fixture
        .client
        .get_token_accounts_by_owner(&rich, TokenAccountsFilter::ProgramId(program))
        .await
        .unwrap();
    assert_eq!(all.len(), 1);

    let too_much = fixture
        .signed(&[token::transfer_checked(
            &program,
            &own,
            &mint.pubkey(),
            &theirs,
            &rich,
            &[],
            401,
            2,
        )
        .unwrap()])
        .await;
    let (code, _, simulated) = refusal(
        fixture
            .client
            .send_transaction(&too_much)
            .await
            .unwrap_err(),
    );
    assert_eq!(code, -32002);
    let simulated = simulated.unwrap();
    assert_eq!(
        simulated.err.unwrap().to_string(),
        "Error processing Instruction 0: custom program error: 0x1"
    );
    let logs = simulated.logs.unwrap();
    assert!(
        logs.iter().any(|log| log.contains("insufficient funds")),
        "{logs:?}"
    );
    assert!(simulated.units_consumed.unwrap() > 0);
}

#[tokio::test]
async fn what_is_not_a_token_is_refused_by_name() {
    let fixture = Fixture::new().await;
    let (code, message, _) = refusal(
        fixture
            .client
            .get_token_supply(&fixture.rich.pubkey())
            .await
            .unwrap_err(),
    );
    assert_eq!(
        (code, message.as_str()),
        (-32602, "Invalid param: not a Token mint")
    );
    let (code, message, _) = refusal(
        fixture
            .client
            .get_token_account_balance(&fixture.rich.pubkey())
            .await
            .unwrap_err(),
    );
    assert_eq!(
        (code, message.as_str()),
        (-32602, "Invalid param: not a Token account")
    );
    let (code, message, _) = refusal(
        fixture
            .client
            .get_token_supply(&Pubkey::new_unique())
            .await
            .unwrap_err(),
    );
    assert_eq!(
        (code, message.as_str()),
        (-32602, "Invalid param: could not find account")
    );
}
