//! Reads and writes bytes with nothing but the description, as a client in another language does.

use serde_json::{Value as Json, json};
use solana_pubkey::Pubkey;
use veilpool_idl::Node;

/// A decoded value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Number(i128),
    Bool(bool),
    Address(Pubkey),
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Option(Option<Box<Value>>),
    Struct(Vec<(String, Value)>),
    Variant(usize, String, Box<Value>),
}

/// The program as described.
pub(crate) struct Program {
    pub(crate) address: Pubkey,
    pub(crate) accounts: Vec<Node>,
    pub(crate) instructions: Vec<Node>,
    pub(crate) defined_types: Vec<Node>,
    pub(crate) pdas: Vec<Node>,
    pub(crate) events: Vec<Node>,
    pub(crate) errors: Vec<Node>,
}

impl Program {
    /// From the text that the committed file must be: clients are generated from what is tested.
    pub(crate) fn read() -> Self {
        let root: Node = serde_json::from_str(&veilpool_idl::json().unwrap()).unwrap();
        let Node::RootNode { program, .. } = root else {
            panic!("not a root node")
        };
        let Node::ProgramNode {
            public_key,
            accounts,
            instructions,
            defined_types,
            pdas,
            events,
            errors,
            ..
        } = *program
        else {
            panic!("not a program node")
        };
        Self {
            address: public_key.parse().unwrap(),
            accounts,
            instructions,
            defined_types,
            pdas,
            events,
            errors,
        }
    }

    pub(crate) fn pda(&self, wanted: &str) -> &[Node] {
        self.pdas
            .iter()
            .find_map(|pda| match pda {
                Node::PdaNode { name, seeds, .. } if name == wanted => Some(seeds.as_slice()),
                _ => None,
            })
            .unwrap_or_else(|| panic!("no PDA {wanted}"))
    }

    fn defined(&self, wanted: &str) -> &Node {
        self.defined_types
            .iter()
            .find_map(|defined| match defined {
                Node::DefinedTypeNode { name, r#type, .. } if name == wanted => Some(&**r#type),
                _ => None,
            })
            .unwrap_or_else(|| panic!("no type {wanted}"))
    }

    /// All of the bytes as a value of the type.
    pub(crate) fn decode_all(&self, node: &Node, mut bytes: &[u8]) -> Value {
        let value = self.decode(node, &mut bytes);
        assert!(bytes.is_empty(), "{} bytes are left over", bytes.len());
        value
    }

    fn decode(&self, node: &Node, bytes: &mut &[u8]) -> Value {
        match node {
            Node::NumberTypeNode { format, endian } => {
                assert_eq!(endian, "le");
                let (signed, size) = number(format);
                let raw = take(bytes, size);
                let negative = signed && raw[size - 1] & 0x80 != 0;
                let mut wide = [if negative { 0xff } else { 0 }; 16];
                wide[..size].copy_from_slice(raw);
                Value::Number(i128::from_le_bytes(wide))
            }
            Node::BooleanTypeNode { size } => match self.decode(size, bytes) {
                Value::Number(0) => Value::Bool(false),
                Value::Number(1) => Value::Bool(true),
                other => panic!("a bool of {other:?}"),
            },
            Node::PublicKeyTypeNode {} => {
                Value::Address(Pubkey::new_from_array(take(bytes, 32).try_into().unwrap()))
            }
            Node::FixedSizeTypeNode { size, r#type } => {
                assert_eq!(**r#type, Node::BytesTypeNode {});
                Value::Bytes(take(bytes, *size).to_vec())
            }
            Node::ArrayTypeNode { item, count } => {
                let Node::PrefixedCountNode { prefix } = &**count else {
                    panic!("{count:?}")
                };
                let Value::Number(count) = self.decode(prefix, bytes) else {
                    panic!("a count is a number")
                };
                Value::List((0..count).map(|_| self.decode(item, bytes)).collect())
            }
            Node::OptionTypeNode {
                fixed,
                item,
                prefix,
            } => {
                assert!(!fixed);
                match self.decode(prefix, bytes) {
                    Value::Number(0) => Value::Option(None),
                    Value::Number(1) => Value::Option(Some(Box::new(self.decode(item, bytes)))),
                    other => panic!("an option of {other:?}"),
                }
            }
            Node::StructTypeNode { fields } => Value::Struct(
                fields
                    .iter()
                    .map(|field| {
                        let (name, node, constant) = field_of(field);
                        let value = self.decode(node, bytes);
                        assert!(constant.is_none_or(|constant| value == constant), "{name}");
                        (name.to_owned(), value)
                    })
                    .collect(),
            ),
            Node::TupleTypeNode { items } => {
                Value::List(items.iter().map(|item| self.decode(item, bytes)).collect())
            }
            Node::EnumTypeNode { variants, size } => {
                let Value::Number(tag) = self.decode(size, bytes) else {
                    panic!("a tag is a number")
                };
                let tag = usize::try_from(tag).unwrap();
                let (name, inner) = variant_of(&variants[tag]);
                let value =
                    inner.map_or(Value::Struct(Vec::new()), |inner| self.decode(inner, bytes));
                Value::Variant(tag, name.to_owned(), Box::new(value))
            }
            Node::DefinedTypeLinkNode { name } => self.decode(self.defined(name), bytes),
            other => panic!("{other:?} is no type"),
        }
    }

    /// The bytes of a value.
    pub(crate) fn encode(&self, node: &Node, value: &Value, out: &mut Vec<u8>) {
        match (node, value) {
            (Node::NumberTypeNode { format, .. }, Value::Number(value)) => {
                let (signed, size) = number(format);
                let bits = 8 * size as u32;
                let range = if signed {
                    -(1i128 << (bits - 1))..1i128 << (bits - 1)
                } else {
                    0..1i128 << bits
                };
                assert!(range.contains(value));
                out.extend(&value.to_le_bytes()[..size]);
            }
            (Node::BooleanTypeNode { size }, Value::Bool(value)) => {
                self.encode(size, &Value::Number((*value).into()), out);
            }
            (Node::PublicKeyTypeNode {}, Value::Address(address)) => out.extend(address.to_bytes()),
            (Node::FixedSizeTypeNode { size, .. }, Value::Bytes(bytes)) => {
                assert_eq!(bytes.len(), *size);
                out.extend(bytes);
            }
            (Node::ArrayTypeNode { item, count }, Value::List(items)) => {
                let Node::PrefixedCountNode { prefix } = &**count else {
                    panic!("{count:?}")
                };
                self.encode(prefix, &Value::Number(items.len() as i128), out);
                for value in items {
                    self.encode(item, value, out);
                }
            }
            (Node::OptionTypeNode { item, prefix, .. }, Value::Option(value)) => {
                self.encode(prefix, &Value::Number(value.is_some().into()), out);
                if let Some(value) = value {
                    self.encode(item, value, out);
                }
            }
            (Node::StructTypeNode { fields }, Value::Struct(values)) => {
                assert_eq!(fields.len(), values.len());
                for (field, (name, value)) in fields.iter().zip(values) {
                    let (expected, node, _) = field_of(field);
                    assert_eq!(expected, name);
                    self.encode(node, value, out);
                }
            }
            (Node::TupleTypeNode { items }, Value::List(values)) => {
                assert_eq!(items.len(), values.len());
                for (item, value) in items.iter().zip(values) {
                    self.encode(item, value, out);
                }
            }
            (Node::EnumTypeNode { variants, size }, Value::Variant(tag, _, value)) => {
                self.encode(size, &Value::Number(*tag as i128), out);
                if let (_, Some(inner)) = variant_of(&variants[*tag]) {
                    self.encode(inner, value, out);
                }
            }
            (Node::DefinedTypeLinkNode { name }, value) => {
                self.encode(self.defined(name), value, out);
            }
            (node, value) => panic!("{value:?} is no {node:?}"),
        }
    }

    /// A derived address from the values of its variable seeds, by name.
    pub(crate) fn derive(&self, name: &str, value: impl Fn(&str) -> Value) -> (Pubkey, u8) {
        let mut seeds: Vec<Vec<u8>> = Vec::new();
        for seed in self.pda(name) {
            match seed {
                Node::ConstantPdaSeedNode { value, .. } => {
                    let Node::StringValueNode { string } = &**value else {
                        panic!("{value:?}")
                    };
                    seeds.push(string.clone().into_bytes());
                }
                Node::VariablePdaSeedNode { name, r#type, .. } => {
                    let mut bytes = Vec::new();
                    self.encode(r#type, &value(name), &mut bytes);
                    seeds.push(bytes);
                }
                other => panic!("{other:?} is no seed"),
            }
        }
        let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
        Pubkey::find_program_address(&seeds, &self.address)
    }
}

impl Value {
    /// A field of a struct.
    pub(crate) fn get(&self, wanted: &str) -> Option<&Self> {
        match self {
            Self::Struct(fields) => fields
                .iter()
                .find_map(|(name, value)| (name == wanted).then_some(value)),
            _ => None,
        }
    }

    /// As the TypeScript client has it, in JSON: what a number can't hold as text, bytes in hexadecimal, nothing as
    /// null, variants with their name under `__kind`.
    pub(crate) fn json(&self, program: &Program, node: &Node) -> Json {
        match (self, node) {
            (value, Node::DefinedTypeLinkNode { name }) => {
                value.json(program, program.defined(name))
            }
            (Self::Number(number), Node::NumberTypeNode { format, .. }) => {
                if format.ends_with("64") {
                    json!(number.to_string())
                } else {
                    json!(i64::try_from(*number).unwrap())
                }
            }
            (Self::Bool(value), _) => json!(value),
            (Self::Address(address), _) => json!(address.to_string()),
            (Self::Bytes(bytes), _) => json!(hex::encode(bytes)),
            (Self::List(values), Node::ArrayTypeNode { item, .. }) => values
                .iter()
                .map(|value| value.json(program, item))
                .collect(),
            (Self::List(values), Node::TupleTypeNode { items }) => values
                .iter()
                .zip(items)
                .map(|(value, item)| value.json(program, item))
                .collect(),
            (Self::Option(value), Node::OptionTypeNode { item, .. }) => value
                .as_ref()
                .map_or(Json::Null, |value| value.json(program, item)),
            (Self::Struct(values), Node::StructTypeNode { fields }) => values
                .iter()
                .zip(fields)
                .map(|((name, value), field)| {
                    (name.clone(), value.json(program, field_of(field).1))
                })
                .collect(),
            (Self::Variant(tag, name, value), Node::EnumTypeNode { variants, .. }) => {
                let mut letters = name.chars();
                let first = letters.next().unwrap().to_ascii_uppercase();
                let mut out = json!({ "__kind": format!("{first}{}", letters.as_str()) });
                match variant_of(&variants[*tag])
                    .1
                    .map(|node| value.json(program, node))
                {
                    Some(Json::Object(fields)) => out.as_object_mut().unwrap().extend(fields),
                    Some(items) => out["fields"] = items,
                    None => {}
                }
                out
            }
            (value, node) => panic!("{value:?} is no {node:?}"),
        }
    }
}

/// What an instruction's arguments are encoded as.
pub(crate) fn arguments(instruction: &Node) -> Node {
    let Node::InstructionNode { arguments, .. } = instruction else {
        panic!("{instruction:?}")
    };
    let fields = arguments.iter().map(|argument| match argument {
        Node::InstructionArgumentNode {
            name,
            default_value_strategy,
            docs,
            r#type,
            default_value,
        } => Node::StructFieldTypeNode {
            name: name.clone(),
            default_value_strategy: default_value_strategy.clone(),
            docs: docs.clone(),
            r#type: r#type.clone(),
            default_value: default_value.clone(),
        },
        other => panic!("{other:?}"),
    });
    Node::StructTypeNode {
        fields: fields.collect(),
    }
}

fn number(format: &str) -> (bool, usize) {
    let (sign, bits) = format.split_at(1);
    (sign == "i", bits.parse::<usize>().unwrap() / 8)
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at_checked(count).expect("enough bytes");
    *bytes = rest;
    taken
}

fn field_of(field: &Node) -> (&str, &Node, Option<Value>) {
    let Node::StructFieldTypeNode {
        name,
        r#type,
        default_value_strategy,
        default_value,
        ..
    } = field
    else {
        panic!("{field:?} is no field")
    };
    let constant = default_value.as_deref().map(|value| match value {
        Node::NumberValueNode { number } => Value::Number((*number).into()),
        other => panic!("{other:?}"),
    });
    assert_eq!(
        constant.as_ref().map(|_| "omitted"),
        default_value_strategy.as_deref()
    );
    (name, r#type, constant)
}

fn variant_of(variant: &Node) -> (&str, Option<&Node>) {
    match variant {
        Node::EnumEmptyVariantTypeNode { name } => (name, None),
        Node::EnumStructVariantTypeNode { name, r#struct } => (name, Some(r#struct)),
        Node::EnumTupleVariantTypeNode { name, tuple } => (name, Some(tuple)),
        other => panic!("{other:?} is no variant"),
    }
}
