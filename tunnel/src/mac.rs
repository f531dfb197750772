//! The two MACs at the end of a handshake message (whitepaper, section 5.4.4), and the cookie that the second wants.
//!
//! ```text
//! mac1 = MAC(HASH("mac1----" ‖ receiver's public key), message before mac1)
//! mac2 = MAC(cookie, message before mac2), zeros without a cookie
//! cookie reply = AEAD_X(HASH("cookie--" ‖ sender's public key), nonce, cookie, mac1 that it answers)
//! ```
//!
//! They are made here and not in the noise implementation, since a message's sender index, which they cover, is drawn
//! by [`crate::Link`].

use std::time::{Duration, Instant};

use blake2::{
    Blake2s256, Blake2sMac,
    digest::{Digest, KeyInit, Mac, consts::U16},
};
use boringtun::x25519::PublicKey;
use chacha20poly1305::{XChaCha20Poly1305, XNonce, aead::AeadInPlace};

use crate::wire::{COOKIE_REPLY_LEN, MAC_LEN};

const MAC1_LABEL: &[u8] = b"mac1----";
const COOKIE_LABEL: &[u8] = b"cookie--";
const COOKIE_LIFETIME: Duration = Duration::from_secs(120);

type Tag = [u8; MAC_LEN];

/// Makes the MACs of messages to one peer.
pub(crate) struct Macs {
    mac1_key: [u8; 32],
    cookie_key: [u8; 32],
    last_mac1: Option<Tag>,
    cookie: Option<(Tag, Instant)>,
}

impl Macs {
    pub(crate) fn new(peer: &PublicKey) -> Self {
        Self {
            mac1_key: mac1_key(peer),
            cookie_key: hash(COOKIE_LABEL, peer),
            last_mac1: None,
            cookie: None,
        }
    }

    /// Writes both MACs of a message to the peer.
    pub(crate) fn sign(&mut self, message: &mut [u8], now: Instant) {
        let tag = write_mac1(&self.mac1_key, message);
        self.last_mac1 = tag;
        self.cookie = self
            .cookie
            .filter(|(_, since)| now.saturating_duration_since(*since) < COOKIE_LIFETIME);
        let cookie = self.cookie;
        if let Some((body, mac2)) = message.split_last_chunk_mut::<MAC_LEN>() {
            *mac2 = cookie.map_or([0; MAC_LEN], |(cookie, _)| mac(&cookie, body));
        }
    }

    /// Takes a cookie reply to the last message; `false` if it isn't one.
    pub(crate) fn accept_cookie(&mut self, reply: &[u8], now: Instant) -> bool {
        let Some(mac1) = self.last_mac1 else {
            return false;
        };
        let Ok(reply) = <&[u8; COOKIE_REPLY_LEN]>::try_from(reply) else {
            return false;
        };
        let (nonce, sealed) = reply[8..].split_at(24);
        let (mut cookie, mut tag) = ([0; MAC_LEN], [0; 16]);
        cookie.copy_from_slice(&sealed[..MAC_LEN]);
        tag.copy_from_slice(&sealed[MAC_LEN..]);
        let cipher = XChaCha20Poly1305::new(&self.cookie_key.into());
        let opened = cipher.decrypt_in_place_detached(
            XNonce::from_slice(nonce),
            &mac1,
            &mut cookie,
            &tag.into(),
        );
        if opened.is_ok() {
            // One reply an attempt: a recorded one is of no use later.
            self.last_mac1 = None;
            self.cookie = Some((cookie, now));
        }
        opened.is_ok()
    }
}

/// The key of the first MAC of messages to this receiver.
pub(crate) fn mac1_key(receiver: &PublicKey) -> [u8; 32] {
    hash(MAC1_LABEL, receiver)
}

/// Writes the first MAC where it belongs in a handshake message.
pub(crate) fn write_mac1(key: &[u8; 32], message: &mut [u8]) -> Option<Tag> {
    let body = message.len().checked_sub(2 * MAC_LEN)?;
    let (body, macs) = message.split_at_mut(body);
    let tag = mac(key, body);
    macs.first_chunk_mut::<MAC_LEN>()?.copy_from_slice(&tag);
    Some(tag)
}

fn hash(label: &[u8], key: &PublicKey) -> [u8; 32] {
    Blake2s256::new()
        .chain_update(label)
        .chain_update(key.as_bytes())
        .finalize()
        .into()
}

fn mac(key: &[u8], message: &[u8]) -> Tag {
    // A key of 16 or 32 bytes is never too long.
    <Blake2sMac<U16> as KeyInit>::new_from_slice(key)
        .map(|mac| mac.chain_update(message).finalize().into_bytes().into())
        .unwrap_or_default()
}
