//! Nodes of the Codama standard that are used here, under its names. Reference: `codama-idl/codama`,
//! `packages/nodes/docs`.

use serde::{Deserialize, Serialize};

/// Lines of text for people.
pub type Docs = Vec<String>;

/// A node; its kind is the variant's name in camel case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
#[allow(missing_docs)] // Kinds and fields are the standard's.
pub enum Node {
    RootNode {
        standard: String,
        version: String,
        program: Box<Node>,
        additional_programs: Vec<Node>,
    },
    ProgramNode {
        name: String,
        public_key: String,
        version: String,
        docs: Docs,
        accounts: Vec<Node>,
        instructions: Vec<Node>,
        defined_types: Vec<Node>,
        pdas: Vec<Node>,
        events: Vec<Node>,
        errors: Vec<Node>,
    },
    AccountNode {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<usize>,
        docs: Docs,
        data: Box<Node>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pda: Option<Box<Node>>,
        discriminators: Vec<Node>,
    },
    InstructionNode {
        name: String,
        docs: Docs,
        optional_account_strategy: String,
        accounts: Vec<Node>,
        arguments: Vec<Node>,
        discriminators: Vec<Node>,
    },
    InstructionAccountNode {
        name: String,
        is_writable: bool,
        is_signer: bool,
        is_optional: bool,
        docs: Docs,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default_value: Option<Box<Node>>,
    },
    InstructionArgumentNode {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default_value_strategy: Option<String>,
        docs: Docs,
        r#type: Box<Node>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default_value: Option<Box<Node>>,
    },
    DefinedTypeNode {
        name: String,
        docs: Docs,
        r#type: Box<Node>,
    },
    EventNode {
        name: String,
        docs: Docs,
        data: Box<Node>,
        discriminators: Vec<Node>,
    },
    ErrorNode {
        name: String,
        code: u32,
        message: String,
        docs: Docs,
    },
    PdaNode {
        name: String,
        docs: Docs,
        seeds: Vec<Node>,
    },
    ConstantPdaSeedNode {
        r#type: Box<Node>,
        value: Box<Node>,
    },
    VariablePdaSeedNode {
        name: String,
        docs: Docs,
        r#type: Box<Node>,
    },
    FieldDiscriminatorNode {
        name: String,
        offset: usize,
    },

    NumberTypeNode {
        format: String,
        endian: String,
    },
    BooleanTypeNode {
        size: Box<Node>,
    },
    PublicKeyTypeNode {},
    BytesTypeNode {},
    StringTypeNode {
        encoding: String,
    },
    FixedSizeTypeNode {
        size: usize,
        r#type: Box<Node>,
    },
    ArrayTypeNode {
        item: Box<Node>,
        count: Box<Node>,
    },
    PrefixedCountNode {
        prefix: Box<Node>,
    },
    OptionTypeNode {
        fixed: bool,
        item: Box<Node>,
        prefix: Box<Node>,
    },
    StructTypeNode {
        fields: Vec<Node>,
    },
    StructFieldTypeNode {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default_value_strategy: Option<String>,
        docs: Docs,
        r#type: Box<Node>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default_value: Option<Box<Node>>,
    },
    TupleTypeNode {
        items: Vec<Node>,
    },
    EnumTypeNode {
        variants: Vec<Node>,
        size: Box<Node>,
    },
    EnumEmptyVariantTypeNode {
        name: String,
    },
    EnumStructVariantTypeNode {
        name: String,
        r#struct: Box<Node>,
    },
    EnumTupleVariantTypeNode {
        name: String,
        tuple: Box<Node>,
    },
    DefinedTypeLinkNode {
        name: String,
    },

    NumberValueNode {
        number: u64,
    },
    StringValueNode {
        string: String,
    },
    PublicKeyValueNode {
        public_key: String,
        identifier: String,
    },
    PdaLinkNode {
        name: String,
    },
    PdaValueNode {
        pda: Box<Node>,
        seeds: Vec<Node>,
    },
    PdaSeedValueNode {
        name: String,
        value: Box<Node>,
    },
    AccountValueNode {
        name: String,
    },
    ArgumentValueNode {
        name: String,
    },
}

impl Node {
    /// A number, little-endian.
    #[must_use]
    pub fn number(format: &str) -> Self {
        Self::NumberTypeNode {
            format: format.to_owned(),
            endian: "le".to_owned(),
        }
    }

    /// So many bytes.
    #[must_use]
    pub fn bytes(size: usize) -> Self {
        Self::FixedSizeTypeNode {
            size,
            r#type: Box::new(Self::BytesTypeNode {}),
        }
    }

    /// A type of the program's own.
    #[must_use]
    pub fn link(name: &str) -> Self {
        Self::DefinedTypeLinkNode {
            name: name.to_owned(),
        }
    }

    /// A field that is always the same byte, and which nobody has to give.
    #[must_use]
    pub fn constant_field(name: &str, value: u8) -> Self {
        Self::StructFieldTypeNode {
            name: name.to_owned(),
            default_value_strategy: Some("omitted".to_owned()),
            docs: Vec::new(),
            r#type: Box::new(Self::number("u8")),
            default_value: Some(Box::new(Self::NumberValueNode {
                number: value.into(),
            })),
        }
    }

    /// Says by which field bytes are told apart.
    #[must_use]
    pub fn discriminator(name: &str, offset: usize) -> Self {
        Self::FieldDiscriminatorNode {
            name: name.to_owned(),
            offset,
        }
    }
}

/// `snake_case` or `PascalCase` as `camelCase`.
#[must_use]
pub fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for letter in name.chars() {
        match letter {
            '_' => upper = true,
            letter if out.is_empty() => out.extend(letter.to_lowercase()),
            letter if upper => {
                out.extend(letter.to_uppercase());
                upper = false;
            }
            letter => out.push(letter),
        }
    }
    out
}
