//! Writing a configuration file.

use std::fmt::{self, Display, Write};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{Conf, KEY_LEN, KEY_TEXT_LEN};

pub(super) fn write(conf: &Conf, out: &mut Zeroizing<String>) {
    let mut length = Length(0);
    // Neither a count nor a string refuses anything.
    let _ = render(conf, &mut length);
    out.reserve_exact(length.0);
    let _ = render(conf, &mut **out);
}

/// How long it will be.
struct Length(usize);

impl Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.saturating_add(text.len());
        Ok(())
    }
}

fn render(conf: &Conf, out: &mut impl Write) -> fmt::Result {
    let interface = &conf.interface;
    out.write_str("[Interface]\n")?;
    let secret = Zeroizing::new(interface.private_key.to_bytes());
    key(out, "PrivateKey", &secret)?;
    one(out, "ListenPort", interface.listen_port)?;
    list(out, "Address", &interface.addresses)?;
    list(out, "DNS", &interface.dns)?;
    one(out, "MTU", interface.mtu.map(super::Mtu::bytes))?;
    for peer in &conf.peers {
        out.write_str("\n[Peer]\n")?;
        key(out, "PublicKey", peer.public_key.as_bytes())?;
        if let Some(preshared) = &peer.preshared_key {
            key(out, "PresharedKey", preshared.expose_bytes())?;
        }
        one(out, "Endpoint", peer.endpoint.as_ref())?;
        list(out, "AllowedIPs", &peer.allowed_ips)?;
        one(out, "PersistentKeepalive", peer.persistent_keepalive)?;
    }
    Ok(())
}

fn one(out: &mut impl Write, name: &str, value: Option<impl Display>) -> fmt::Result {
    match value {
        Some(value) => writeln!(out, "{name} = {value}"),
        None => Ok(()),
    }
}

fn list(out: &mut impl Write, name: &str, values: &[impl Display]) -> fmt::Result {
    for (at, value) in values.iter().enumerate() {
        match at {
            0 => write!(out, "{name} = {value}")?,
            _ => write!(out, ", {value}")?,
        }
    }
    if values.is_empty() {
        Ok(())
    } else {
        out.write_char('\n')
    }
}

fn key(out: &mut impl Write, name: &str, bytes: &[u8; KEY_LEN]) -> fmt::Result {
    let mut text = Zeroizing::new([0; KEY_TEXT_LEN]);
    let length = STANDARD
        .encode_slice(bytes, text.as_mut())
        .map_err(|_| fmt::Error)?;
    let text = text.get(..length).unwrap_or_default();
    let text = std::str::from_utf8(text).map_err(|_| fmt::Error)?;
    writeln!(out, "{name} = {text}")
}
