//! Borsh types as nodes.

use std::collections::BTreeSet;

use syn::{Expr, ExprLit, GenericArgument, Lit, PathArguments, Type};
use veilpool_protocol::verifying_key;

use crate::{
    IdlError, Node,
    node::camel,
    source::{Body, Field, Shape, Sources, Variant},
};

/// Name of the one type that stands for every field element.
const FIELD_ELEMENT: &str = "fieldElement";

/// Types that are not structs or enums of named fields.
fn leaf(name: &str) -> Option<Node> {
    Some(match name {
        "u8" | "u16" | "u32" | "u64" | "i64" => Node::number(name),
        "bool" => Node::BooleanTypeNode {
            size: Box::new(Node::number("u8")),
        },
        "AddressBytes" => Node::PublicKeyTypeNode {},
        "CommitmentBytes" | "CoordinateBytes" | "DomainBytes" | "FieldBytes" | "NullifierBytes"
        | "RegistryNodeBytes" | "RegistryRootBytes" | "SetHashBytes" => Node::link(FIELD_ELEMENT),
        "EpochId" => Node::number("u32"),
        "Bandwidth" | "Uptime" | "Latency" | "Weight" => Node::number("u16"),
        "Zone" | "ClassId" => Node::number("u8"),
        "ProofBytes" => Node::bytes(256),
        _ => return None,
    })
}

/// Makes nodes of types, and remembers which declarations they need.
pub(crate) struct Types<'a> {
    sources: &'a Sources,
    /// Names in Rust, in the order of their first use.
    needed: Vec<String>,
}

impl<'a> Types<'a> {
    pub(crate) const fn new(sources: &'a Sources) -> Self {
        Self {
            sources,
            needed: Vec::new(),
        }
    }

    /// A type at a place.
    pub(crate) fn node(&mut self, ty: &Type, place: &str) -> Result<Node, IdlError> {
        let unknown = |what: &str| IdlError::Type {
            place: place.to_owned(),
            what: what.to_owned(),
        };
        match ty {
            Type::Array(array) => {
                let of_bytes = matches!(&*array.elem, Type::Path(elem) if elem.path.is_ident("u8"));
                match length(&array.len) {
                    Some(size) if of_bytes => Ok(Node::bytes(size)),
                    _ => Err(unknown(
                        "an array that isn't of bytes, or of unknown length",
                    )),
                }
            }
            Type::Path(path) => {
                let last = path
                    .path
                    .segments
                    .last()
                    .ok_or_else(|| unknown("nothing"))?;
                let name = last.ident.to_string();
                match (name.as_str(), argument(&last.arguments)) {
                    ("Vec", Some(item)) => Ok(Node::ArrayTypeNode {
                        item: Box::new(self.node(item, place)?),
                        count: Box::new(Node::PrefixedCountNode {
                            prefix: Box::new(Node::number("u32")),
                        }),
                    }),
                    ("Option", Some(item)) => Ok(Node::OptionTypeNode {
                        fixed: false,
                        item: Box::new(self.node(item, place)?),
                        prefix: Box::new(Node::number("u8")),
                    }),
                    (_, Some(_)) => Err(unknown(&name)),
                    (_, None) => Ok(leaf(&name).unwrap_or_else(|| self.need(name))),
                }
            }
            _ => Err(unknown("neither a name nor an array")),
        }
    }

    fn need(&mut self, name: String) -> Node {
        let link = Node::link(&type_name(&name));
        if !self.needed.contains(&name) {
            self.needed.push(name);
        }
        link
    }

    /// Fields of a struct.
    pub(crate) fn fields(&mut self, fields: &[Field], of: &str) -> Result<Vec<Node>, IdlError> {
        fields
            .iter()
            .map(|field| {
                Ok(Node::StructFieldTypeNode {
                    name: camel(&field.name),
                    default_value_strategy: None,
                    docs: field.docs.clone(),
                    r#type: Box::new(self.node(&field.ty, &format!("{of}.{}", field.name))?),
                    default_value: None,
                })
            })
            .collect()
    }

    /// Fields of what a variant carries: its own, or those of the struct that it wraps.
    pub(crate) fn carried(&self, variant: &'a Variant) -> Result<&'a [Field], IdlError> {
        match &variant.shape {
            Shape::Nothing => Ok(&[]),
            Shape::Fields(fields) => Ok(fields),
            Shape::One(ty) => {
                let name = match ty {
                    Type::Path(path) => path.path.get_ident().map(ToString::to_string),
                    _ => None,
                };
                let name = name.unwrap_or_else(|| variant.name.clone());
                match &self.sources.get(&name)?.body {
                    Body::Struct(fields) => Ok(fields),
                    Body::Enum(_) => Err(IdlError::Type {
                        place: variant.name.clone(),
                        what: name,
                    }),
                }
            }
        }
    }

    fn variant(&mut self, variant: &Variant, of: &str) -> Result<Node, IdlError> {
        let name = camel(&variant.name);
        let place = format!("{of}::{}", variant.name);
        Ok(match &variant.shape {
            Shape::Nothing => Node::EnumEmptyVariantTypeNode { name },
            Shape::Fields(fields) => Node::EnumStructVariantTypeNode {
                name,
                r#struct: Box::new(Node::StructTypeNode {
                    fields: self.fields(fields, &place)?,
                }),
            },
            Shape::One(ty) => Node::EnumTupleVariantTypeNode {
                name,
                tuple: Box::new(Node::TupleTypeNode {
                    items: vec![self.node(ty, &place)?],
                }),
            },
        })
    }

    /// All declarations that have been needed, by name; and those that these need.
    pub(crate) fn defined(mut self) -> Result<Vec<Node>, IdlError> {
        let mut defined = vec![Node::DefinedTypeNode {
            name: FIELD_ELEMENT.to_owned(),
            docs: vec![
                "Element of the BN254 scalar field: 32 bytes, big-endian, less than the field's order.".to_owned(),
                "The program refuses any other encoding.".to_owned(),
            ],
            r#type: Box::new(Node::bytes(32)),
        }];
        let mut done = BTreeSet::new();
        while let Some(name) = self
            .needed
            .iter()
            .find(|name| !done.contains(*name))
            .cloned()
        {
            let declaration = self.sources.get(&name)?;
            let node = match &declaration.body {
                Body::Struct(fields) => Node::StructTypeNode {
                    fields: self.fields(fields, &name)?,
                },
                Body::Enum(variants) => Node::EnumTypeNode {
                    variants: variants
                        .iter()
                        .map(|variant| self.variant(variant, &name))
                        .collect::<Result<_, _>>()?,
                    size: Box::new(Node::number("u8")),
                },
            };
            defined.push(Node::DefinedTypeNode {
                name: type_name(&name),
                docs: declaration.docs.clone(),
                r#type: Box::new(node),
            });
            done.insert(name);
        }
        Ok(defined)
    }
}

/// Without the ending of encodings.
fn type_name(name: &str) -> String {
    camel(name.strip_suffix("Bytes").unwrap_or(name))
}

fn argument(arguments: &PathArguments) -> Option<&Type> {
    match arguments {
        PathArguments::AngleBracketed(generic) => match generic.args.first() {
            Some(GenericArgument::Type(ty)) => Some(ty),
            _ => None,
        },
        _ => None,
    }
}

/// A literal, or the one constant that is used as a length.
fn length(expression: &Expr) -> Option<usize> {
    match expression {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => number.base10_parse().ok(),
        Expr::Path(path) if path.path.segments.last()?.ident == "LEN" => Some(verifying_key::LEN),
        _ => None,
    }
}

/// How many bytes every value of a type has; `None` when they differ.
pub(crate) fn fixed_size(node: &Node, defined: &[Node]) -> Option<usize> {
    match node {
        Node::NumberTypeNode { format, .. } => {
            format.get(1..)?.parse::<usize>().ok().map(|bits| bits / 8)
        }
        Node::BooleanTypeNode { size } => fixed_size(size, defined),
        Node::PublicKeyTypeNode {} => Some(32),
        Node::FixedSizeTypeNode { size, .. } => Some(*size),
        Node::StructTypeNode { fields } => fields.iter().try_fold(0usize, |sum, field| {
            let Node::StructFieldTypeNode { r#type, .. } = field else {
                return None;
            };
            sum.checked_add(fixed_size(r#type, defined)?)
        }),
        Node::DefinedTypeLinkNode { name } => {
            defined.iter().find_map(|defined_type| match defined_type {
                Node::DefinedTypeNode {
                    name: other,
                    r#type,
                    ..
                } if other == name => fixed_size(r#type, defined),
                _ => None,
            })
        }
        _ => None,
    }
}
