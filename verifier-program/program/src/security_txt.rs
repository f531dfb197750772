//! Where to report what is wrong, for tools that look into deployed programs: keys and values that end with zero
//! bytes, between two markers (<https://github.com/neodyme-labs/solana-security-txt>).

macro_rules! text {
    ($($key:literal: $value:expr),* $(,)?) => {
        concat!(
            "=======BEGIN SECURITY.TXT V1=======\0",
            $($key, "\0", $value, "\0",)*
            "=======END SECURITY.TXT V1=======\0",
        )
    };
}

const TEXT: &str = text! {
    "name": "Veilpool",
    "project_url": env!("CARGO_PKG_REPOSITORY"),
    "contacts": concat!("link:", env!("CARGO_PKG_REPOSITORY"), "/security/advisories/new"),
    "policy": concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/SECURITY.md"),
    "source_code": env!("CARGO_PKG_REPOSITORY"),
    "source_release": env!("CARGO_PKG_VERSION"),
    "auditors": "None",
};

#[cfg_attr(target_os = "solana", used)]
#[allow(dead_code)] // The program's bytes are who reads it.
static SECURITY_TXT: [u8; TEXT.len()] = {
    let mut bytes = [0; TEXT.len()];
    bytes.copy_from_slice(TEXT.as_bytes());
    bytes
};
