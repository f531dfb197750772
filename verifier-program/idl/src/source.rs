//! The sources of what is encoded: names, order, types and docs of structs and enums.

use std::collections::BTreeMap;

use syn::{Attribute, Expr, ExprLit, Fields, Item, Lit, Meta, Type};

use crate::IdlError;

macro_rules! sources {
    ($($path:literal),* $(,)?) => {
        [$(($path, include_str!(concat!("../../../", $path)))),*]
    };
}

/// Every file with a type that the program reads or writes.
const SOURCES: [(&str, &str); 14] = sources![
    "verifier-program/interface/src/instruction.rs",
    "verifier-program/interface/src/event.rs",
    "verifier-program/interface/src/registry.rs",
    "verifier-program/interface/src/state.rs",
    "verifier-program/interface/src/state/pool.rs",
    "verifier-program/interface/src/state/epoch.rs",
    "verifier-program/interface/src/state/operator.rs",
    "verifier-program/interface/src/state/claim.rs",
    "verifier-program/interface/src/state/key.rs",
    "verifier-program/interface/src/state/withdrawal.rs",
    "verifier-program/interface/src/state/channel.rs",
    "verifier-program/interface/src/state/proposal.rs",
    "protocol/src/measurer_set.rs",
    "protocol/src/units.rs",
];

/// A named field.
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) docs: Vec<String>,
    pub(crate) ty: Type,
}

/// What a variant carries.
pub(crate) enum Shape {
    Nothing,
    Fields(Vec<Field>),
    One(Type),
}

pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) docs: Vec<String>,
    pub(crate) shape: Shape,
}

pub(crate) enum Body {
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
}

pub(crate) struct Declaration {
    pub(crate) docs: Vec<String>,
    pub(crate) body: Body,
}

/// All declarations by name, and the names of all account types.
pub(crate) struct Sources {
    declarations: BTreeMap<String, Declaration>,
    pub(crate) records: Vec<String>,
}

impl Sources {
    pub(crate) fn parse() -> Result<Self, IdlError> {
        let mut sources = Self {
            declarations: BTreeMap::new(),
            records: Vec::new(),
        };
        for (file, text) in SOURCES {
            let parsed =
                syn::parse_file(text).map_err(|reason| IdlError::Syntax { file, reason })?;
            for item in parsed.items {
                sources.add(item);
            }
        }
        Ok(sources)
    }

    pub(crate) fn get(&self, name: &str) -> Result<&Declaration, IdlError> {
        self.declarations
            .get(name)
            .ok_or_else(|| IdlError::Missing(name.to_owned()))
    }

    fn add(&mut self, item: Item) {
        match item {
            // Others are not made of named fields.
            Item::Struct(item) if matches!(item.fields, Fields::Named(_)) => {
                let declaration = Declaration {
                    docs: docs(&item.attrs),
                    body: Body::Struct(fields(item.fields)),
                };
                self.declarations
                    .insert(item.ident.to_string(), declaration);
            }
            Item::Enum(item) => {
                let variants = item.variants.into_iter().map(|variant| Variant {
                    name: variant.ident.to_string(),
                    docs: docs(&variant.attrs),
                    shape: shape(variant.fields),
                });
                let declaration = Declaration {
                    docs: docs(&item.attrs),
                    body: Body::Enum(variants.collect()),
                };
                self.declarations
                    .insert(item.ident.to_string(), declaration);
            }
            Item::Impl(item) => {
                let of = item.trait_.as_ref().map(|(_, path, _)| path);
                if of.is_some_and(|path| path.is_ident("Record"))
                    && let Type::Path(path) = &*item.self_ty
                    && let Some(name) = path.path.get_ident()
                {
                    self.records.push(name.to_string());
                }
            }
            _ => {}
        }
    }
}

fn shape(fields_: Fields) -> Shape {
    match fields_ {
        Fields::Unit => Shape::Nothing,
        Fields::Unnamed(mut unnamed) => match unnamed.unnamed.pop() {
            Some(one) if unnamed.unnamed.is_empty() => Shape::One(one.into_value().ty),
            // Several without names: no encoded type has them, and `fields` would lose them.
            _ => Shape::Nothing,
        },
        named => Shape::Fields(fields(named)),
    }
}

fn fields(fields: Fields) -> Vec<Field> {
    fields
        .into_iter()
        .filter_map(|field| {
            Some(Field {
                name: field.ident?.to_string(),
                docs: docs(&field.attrs),
                ty: field.ty,
            })
        })
        .collect()
}

/// Doc comments without their links.
fn docs(attributes: &[Attribute]) -> Vec<String> {
    attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => Some(text.value().trim().replace("[`", "`").replace("`]", "`")),
                _ => None,
            },
            _ => None,
        })
        .collect()
}
