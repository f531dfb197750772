//! Why there is no description.

/// Why the interface can't be described.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdlError {
    /// A source can't be parsed.
    #[error("{file} can't be parsed: {reason}")]
    Syntax {
        /// Which.
        file: &'static str,
        /// Why.
        reason: syn::Error,
    },
    /// A type that is not known.
    #[error("{place} has a type that this crate doesn't describe yet: {what}; add it to types.rs")]
    Type {
        /// Where.
        place: String,
        /// What was found.
        what: String,
    },
    /// A type that is in none of the sources.
    #[error("{0} is in none of the parsed sources; add its file to source.rs")]
    Missing(String),
    /// Can't be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}
