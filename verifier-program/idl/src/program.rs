//! The whole: program, instructions, accounts, events, refusals.

use solana_pubkey::Pubkey;
use veilpool_interface::{
    Channel, Claim, Epoch, Key, Operator, Pool, PoolError, Proposal, Record, Withdrawal,
    accounts::{self, AccountSpec, HeldKind, Kind, RecordKind},
    address::TOKEN_PROGRAM,
    builder::SYSTEM_PROGRAM,
    state::VERSION,
    voucher::INSTRUCTIONS_SYSVAR,
};

use crate::{
    CODAMA_VERSION, IdlError, LOCAL_PROGRAM, Node,
    node::camel,
    pdas::{self, Seed},
    source::{Body, Sources, Variant},
    types::{Types, fixed_size},
};

/// First byte of an account.
const DISCRIMINATOR: &str = "discriminator";
/// First byte of an instruction or event. Another name than that of accounts, since generated clients make constants
/// of both: the account and the instruction `claim` would have one name for two.
const TAG: &str = "tag";

/// The root node.
///
/// # Errors
/// [`IdlError`], when the interface uses something that isn't described here yet.
pub fn root() -> Result<Node, IdlError> {
    let sources = Sources::parse()?;
    let mut types = Types::new(&sources);
    let mut records = Vec::new();
    for (name, discriminator) in records_of_interface(&sources)? {
        records.push((name, discriminator, fields_of(&sources, &mut types, name)?));
    }
    let instructions = instructions(&sources, &mut types)?;
    let events = events(&sources, &mut types)?;
    let defined_types = types.defined()?;
    let accounts = records
        .into_iter()
        .map(|(name, discriminator, fields)| {
            account(&sources, name, discriminator, fields, &defined_types)
        })
        .collect::<Result<_, _>>()?;
    Ok(Node::RootNode {
        standard: "codama".to_owned(),
        version: CODAMA_VERSION.to_owned(),
        program: Box::new(Node::ProgramNode {
            name: "veilpool".to_owned(),
            public_key: LOCAL_PROGRAM.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            docs: vec![
                "Pools that pay operators for claims that name none of them. The address is that of `veilpool localnet`."
                    .to_owned(),
            ],
            accounts,
            instructions,
            defined_types,
            pdas: pdas::ALL.iter().map(pdas::Pda::node).collect(),
            events,
            errors: errors(),
        }),
        additional_programs: Vec::new(),
    })
}

/// Account types and their first bytes.
fn records_of_interface(sources: &Sources) -> Result<Vec<(&'static str, u8)>, IdlError> {
    let known = [
        ("Pool", Pool::DISCRIMINATOR),
        ("Epoch", Epoch::DISCRIMINATOR),
        ("Operator", Operator::DISCRIMINATOR),
        ("Claim", Claim::DISCRIMINATOR),
        ("Key", Key::DISCRIMINATOR),
        ("Withdrawal", Withdrawal::DISCRIMINATOR),
        ("Channel", Channel::DISCRIMINATOR),
        ("Proposal", Proposal::DISCRIMINATOR),
    ];
    let is_known = |name: &String| known.iter().any(|(known, _)| known == name);
    match sources.records.iter().find(|name| !is_known(name)) {
        Some(new) => Err(IdlError::Missing(new.clone())),
        None => Ok(known.to_vec()),
    }
}

fn fields_of(sources: &Sources, types: &mut Types<'_>, name: &str) -> Result<Vec<Node>, IdlError> {
    match &sources.get(name)?.body {
        Body::Struct(fields) => types.fields(fields, name),
        Body::Enum(_) => Err(IdlError::Type {
            place: name.to_owned(),
            what: "an account that is an enum".to_owned(),
        }),
    }
}

fn account(
    sources: &Sources,
    name: &str,
    discriminator: u8,
    fields: Vec<Node>,
    defined: &[Node],
) -> Result<Node, IdlError> {
    let mut all = vec![
        Node::constant_field(DISCRIMINATOR, discriminator),
        Node::constant_field("version", VERSION),
    ];
    all.extend(fields);
    let data = Node::StructTypeNode { fields: all };
    let name_ = camel(name);
    Ok(Node::AccountNode {
        size: fixed_size(&data, defined),
        docs: sources.get(name)?.docs.clone(),
        data: Box::new(data),
        pda: pdas::find(&name_).map(|pda| {
            Box::new(Node::PdaLinkNode {
                name: pda.name.to_owned(),
            })
        }),
        discriminators: vec![
            Node::discriminator(DISCRIMINATOR, 0),
            Node::discriminator("version", 1),
        ],
        name: name_,
    })
}

fn variants<'a>(sources: &'a Sources, name: &str) -> Result<&'a [Variant], IdlError> {
    match &sources.get(name)?.body {
        Body::Enum(variants) => Ok(variants),
        Body::Struct(_) => Err(IdlError::Missing(name.to_owned())),
    }
}

fn instructions(sources: &Sources, types: &mut Types<'_>) -> Result<Vec<Node>, IdlError> {
    let variants = variants(sources, "PoolInstruction")?;
    let mut out = Vec::new();
    for (tag, variant) in (0u8..).zip(variants) {
        let (_, specs) = accounts::ALL
            .iter()
            .find(|(name, _)| *name == variant.name)
            .ok_or_else(|| IdlError::Missing(variant.name.clone()))?;
        let fields = types.carried(variant)?;
        let mut arguments = vec![Node::InstructionArgumentNode {
            name: TAG.to_owned(),
            default_value_strategy: Some("omitted".to_owned()),
            docs: Vec::new(),
            r#type: Box::new(Node::number("u8")),
            default_value: Some(Box::new(Node::NumberValueNode { number: tag.into() })),
        }];
        for field in fields {
            arguments.push(Node::InstructionArgumentNode {
                name: camel(&field.name),
                default_value_strategy: None,
                docs: field.docs.clone(),
                r#type: Box::new(
                    types.node(&field.ty, &format!("{}.{}", variant.name, field.name))?,
                ),
                default_value: None,
            });
        }
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        out.push(Node::InstructionNode {
            name: camel(&variant.name),
            docs: variant.docs.clone(),
            optional_account_strategy: "programId".to_owned(),
            accounts: specs
                .iter()
                .map(|spec| instruction_account(spec, specs, &names))
                .collect(),
            arguments,
            discriminators: vec![Node::discriminator(TAG, 0)],
        });
    }
    Ok(out)
}

fn instruction_account(spec: &AccountSpec, specs: &[AccountSpec], arguments: &[&str]) -> Node {
    Node::InstructionAccountNode {
        name: camel(spec.name),
        is_writable: spec.flag.is_writable(),
        is_signer: spec.flag.is_signer(),
        is_optional: false,
        docs: vec![spec.doc.to_owned()],
        default_value: default_address(spec, specs, arguments).map(Box::new),
    }
}

/// Where an account is when the other accounts and the arguments say so; `None` when they don't.
fn default_address(spec: &AccountSpec, specs: &[AccountSpec], arguments: &[&str]) -> Option<Node> {
    let pda = match spec.kind {
        Kind::TokenProgram => return Some(fixed(&TOKEN_PROGRAM, "tokenProgram")),
        Kind::SystemProgram => return Some(fixed(&SYSTEM_PROGRAM, "systemProgram")),
        Kind::InstructionsSysvar => return Some(fixed(&INSTRUCTIONS_SYSVAR, "instructions")),
        Kind::Held(held) | Kind::NewHeld(held) => match held {
            HeldKind::Vault => "vault",
            HeldKind::Bonds => "bonds",
            HeldKind::Escrow => "escrow",
            HeldKind::ShareMint => "shareMint",
        },
        Kind::Record(record) | Kind::New(record) => match record {
            RecordKind::Pool => "pool",
            RecordKind::Epoch => "epoch",
            RecordKind::Operator => "operator",
            RecordKind::Claim => "claim",
            RecordKind::Key => "key",
            RecordKind::Withdrawal => "withdrawal",
            RecordKind::Channel => "channel",
            RecordKind::Proposal => "proposal",
        },
        Kind::Signer
        | Kind::Recorded
        | Kind::Pool
        | Kind::Mint
        | Kind::Tokens(_)
        | Kind::Shares(_) => return None,
    };
    let pda = pdas::find(pda)?;
    let seeds = pda.seeds.iter().map(|(name, seed)| {
        let is_account = *seed == Seed::Address && specs.iter().any(|other| other.name == *name);
        let value = if is_account {
            Node::AccountValueNode { name: camel(name) }
        } else if arguments.contains(name) {
            Node::ArgumentValueNode { name: camel(name) }
        } else {
            return None;
        };
        Some(Node::PdaSeedValueNode {
            name: (*name).to_owned(),
            value: Box::new(value),
        })
    });
    Some(Node::PdaValueNode {
        seeds: seeds.collect::<Option<_>>()?,
        pda: Box::new(Node::PdaLinkNode {
            name: pda.name.to_owned(),
        }),
    })
}

fn fixed(address: &Pubkey, identifier: &str) -> Node {
    Node::PublicKeyValueNode {
        public_key: address.to_string(),
        identifier: identifier.to_owned(),
    }
}

fn events(sources: &Sources, types: &mut Types<'_>) -> Result<Vec<Node>, IdlError> {
    let variants = variants(sources, "PoolEvent")?;
    (0u8..)
        .zip(variants)
        .map(|(tag, variant)| {
            let mut fields = vec![Node::constant_field(TAG, tag)];
            fields.extend(types.fields(types.carried(variant)?, &variant.name)?);
            Ok(Node::EventNode {
                name: camel(&variant.name),
                docs: variant.docs.clone(),
                data: Box::new(Node::StructTypeNode { fields }),
                discriminators: vec![Node::discriminator(TAG, 0)],
            })
        })
        .collect()
}

fn errors() -> Vec<Node> {
    PoolError::ALL
        .into_iter()
        .map(|error| Node::ErrorNode {
            name: camel(error.name()),
            code: error.code(),
            message: error.to_string(),
            docs: vec![format!("{}: {error}", error.name())],
        })
        .collect()
}
