//! An exit's own network namespace: guests' packets come out where the operator's machine has no address, no service
//! and no neighbour but one end of a link, and the kernel forwards what the policy's ruleset lets through.
//!
//! ```text
//! host                                        namespace
//! UDP socket ── Engine ─────────────────────→ guests  10.64.0.1/10, fd76:7064:6e01::1/64
//!                                               │ the policy's ruleset, forward; masquerade
//! internet ←── masquerade ── veil_<name> ←── uplink  198.19.…/30, fd76:7064:6e02:…/64
//! ```
//!
//! The namespace has no name: it ends with the process, also one that is killed. What such a one leaves on the host, a
//! table of nftables and settings, is named after the node, and taken away when it starts again.

mod host;
mod link;
mod netns;
mod tools;

use std::{io, num::NonZeroU32};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use veilpool_policy::{NameError, NftNames, Policy};
use veilpool_tunnel::{NODE_ADDRESS, NODE_ADDRESS_V6};

use crate::{StartError, Tun};
use link::{Link, with_prefix};
use netns::Netns;
pub use tools::ToolError;
use tools::{ip, load, set, setting};

/// The table, the device and the link in the namespace, where nobody else has any.
const TABLE: &str = "veilpool";
const GUESTS: &str = "guests";
const UPLINK: &str = "uplink";
/// All inner addresses, seen from the node's: 10.64.0.0/10 and fd76:7064:6e01::/64.
const INNER: u8 = 10;
const INNER_V6: u8 = 64;
const LINK_V6: u8 = 64;
/// Seconds that the kernel keeps a silent connection: RFC 5382's two hours and four minutes instead of five days.
const ESTABLISHED: (&str, &str) = ("netfilter/nf_conntrack_tcp_timeout_established", "7440");

/// What distinguishes the nodes of a host: 1 to 10 lower-case letters and digits, a letter first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExitName(String);

/// A name that can't stand in a device's and a table's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` can't be an exit's name; use 1 to 10 letters a-z and digits, a letter first", .0.escape_debug())]
pub struct ExitNameError(String);

impl ExitName {
    /// IFNAMSIZ, less its zero and what stands before the name.
    const MAX: usize = 15 - "veil_".len();

    /// Checks.
    ///
    /// # Errors
    /// [`ExitNameError`].
    pub fn new(name: &str) -> Result<Self, ExitNameError> {
        let ok = (1..=Self::MAX).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        match ok {
            true => Ok(Self(name.to_owned())),
            false => Err(ExitNameError(name.to_owned())),
        }
    }

    /// The host's end of the link.
    #[must_use]
    pub fn device(&self) -> String {
        format!("veil_{}", self.0)
    }

    /// The host's table of family `inet`.
    #[must_use]
    pub fn table(&self) -> String {
        format!("veilpool_{}", self.0)
    }
}

/// What a namespace is made of.
#[derive(Clone, Debug)]
pub struct ExitConfig {
    /// Which node's.
    pub name: ExitName,
    /// Where guests may go; with the host's networks (`Policy::with_host`).
    pub policy: Policy,
    /// Whether guests have IPv6 too, which the host needs for it.
    pub ipv6: bool,
    /// Connections of a guest at a time.
    pub flows_per_guest: Option<NonZeroU32>,
    /// Whether to use the system's segmentation offloads, where it has them.
    pub offload: bool,
}

/// Why there is no namespace.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// The system makes none.
    #[error(
        "cannot make a network namespace: {0}; it needs root or CAP_SYS_ADMIN, and the mode without a device needs neither"
    )]
    Namespace(#[source] io::Error),
    /// A program or a setting.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// No TUN device.
    #[error(transparent)]
    Device(#[from] StartError),
    /// No addresses for the link.
    #[error(
        "all of 198.19.0.0/16 is routed somewhere on this machine, which an exit's link takes its addresses from"
    )]
    NoAddress,
    /// The ruleset's names.
    #[error(transparent)]
    Names(#[from] NameError),
    /// No IPv6.
    #[error(
        "this machine has no IPv6, or it is turned off (net.ipv6.conf.*.disable_ipv6); turn it off for guests too"
    )]
    NoIpv6,
}

/// A namespace and the host's end of its link. Dropping it takes both away and restores the host's settings; end the
/// engine first.
pub struct ExitNamespace {
    name: ExitName,
    names: NftNames,
    link: Link,
    host: Netns,
    inside: Netns,
}

impl ExitNamespace {
    /// Makes the namespace, joined to the calling thread's, and the TUN device in it. What a node of the same name left
    /// behind is taken away before.
    ///
    /// # Errors
    /// [`CreateError`]; the host is as it was before.
    pub fn create(config: &ExitConfig) -> Result<(Self, Tun), CreateError> {
        let has_ipv6 = |what: &str| {
            let off = setting(&format!("ipv6/conf/{what}/disable_ipv6"));
            off.is_some_and(|off| off == "0")
        };
        if config.ipv6 && !(has_ipv6("all") && has_ipv6("default")) {
            return Err(CreateError::NoIpv6);
        }
        host::clear(&config.name)?;
        let mut names = NftNames::new(TABLE, GUESTS, UPLINK)?;
        if let Some(most) = config.flows_per_guest {
            names = names.with_flows_per_guest(most);
        }
        let routes = ip(&["-4", "route", "show", "table", "all"])?;
        let exit = Self {
            link: Link::choose(&config.name.0, &routes).ok_or(CreateError::NoAddress)?,
            name: config.name.clone(),
            names,
            host: Netns::current().map_err(CreateError::Namespace)?,
            inside: Netns::new().map_err(CreateError::Namespace)?,
        };
        // From here on, dropping it undoes what was done.
        exit.set_policy(&config.policy)?;
        exit.join(config.ipv6)?;
        let inside = || exit.furnish(config);
        let tun = exit.inside.enter(inside).map_err(ToolError::Enter)??;
        host::forward(config.ipv6)?;
        tracing::info!(link = %exit.link.network(), ipv6 = config.ipv6, "the exit has a network namespace");
        Ok((exit, tun))
    }

    /// From now on this policy holds, for packets of old connections too: the kernel takes the new ruleset as a whole or
    /// keeps the old one. The gate of the engine has its own.
    ///
    /// # Errors
    /// [`ToolError`].
    pub fn set_policy(&self, policy: &Policy) -> Result<(), ToolError> {
        let ruleset = policy.nftables(&self.names);
        self.inside
            .enter(|| load(&ruleset))
            .map_err(ToolError::Enter)?
    }

    /// Runs `work` in a thread in the namespace; programs that it starts are in there too.
    ///
    /// # Errors
    /// The system's.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        self.inside.enter(work)
    }

    /// The host's end of the link.
    fn join(&self, ipv6: bool) -> Result<(), ToolError> {
        let (device, inside) = (self.name.device(), self.inside.path());
        host::guard(&self.name, self.link)?;
        ip(&[
            "link", "add", &device, "type", "veth", "peer", "name", UPLINK, "netns", &inside,
        ])?;
        quiet(&device, ipv6)?;
        let address = with_prefix(net(self.link.host(), self.link.network().prefix_len()));
        ip(&["addr", "add", &address, "dev", &device])?;
        if ipv6 {
            let address = with_prefix(net_v6(self.link.host_v6(), LINK_V6));
            ip(&["-6", "addr", "add", &address, "dev", &device, "nodad"])?;
        }
        ip(&["link", "set", "dev", &device, "up"]).map(drop)
    }

    /// In the namespace: the link's end, the device, routes, forwarding last.
    fn furnish(&self, config: &ExitConfig) -> Result<Tun, CreateError> {
        ip(&["link", "set", "dev", "lo", "up"])?;
        quiet(UPLINK, config.ipv6)?;
        let address = with_prefix(net(self.link.inside(), self.link.network().prefix_len()));
        ip(&["addr", "add", &address, "dev", UPLINK])?;
        ip(&["link", "set", "dev", UPLINK, "up"])?;
        let gateway = self.link.host().to_string();
        ip(&["route", "add", "default", "via", &gateway, "dev", UPLINK])?;
        let tun = Tun::create(GUESTS, config.offload)?;
        quiet(GUESTS, config.ipv6)?;
        let inner = with_prefix(net(NODE_ADDRESS, INNER));
        ip(&["addr", "add", &inner, "dev", GUESTS])?;
        if config.ipv6 {
            let address = with_prefix(net_v6(self.link.inside_v6(), LINK_V6));
            ip(&["-6", "addr", "add", &address, "dev", UPLINK, "nodad"])?;
            let gateway = self.link.host_v6().to_string();
            ip(&[
                "-6", "route", "add", "default", "via", &gateway, "dev", UPLINK,
            ])?;
            let inner = with_prefix(net_v6(NODE_ADDRESS_V6, INNER_V6));
            ip(&["-6", "addr", "add", &inner, "dev", GUESTS, "nodad"])?;
        }
        ip(&["link", "set", "dev", GUESTS, "up"])?;
        // A guest's first packet to another guest would be answered with a way around the ruleset.
        set("ipv4/conf/all/send_redirects", "0")?;
        set(&format!("ipv4/conf/{GUESTS}/send_redirects"), "0")?;
        let (path, value) = ESTABLISHED;
        if setting(path).is_some() {
            set(path, value)?;
        }
        set("ipv4/ip_forward", "1")?;
        if config.ipv6 {
            set("ipv6/conf/all/forwarding", "1")?;
        }
        Ok(tun)
    }

    fn undo(&self) -> Result<(), ToolError> {
        // The namespace's end of it goes too, at once; without it the namespace would do so later.
        host::clear(&self.name)?;
        host::restore()
    }
}

impl Drop for ExitNamespace {
    fn drop(&mut self) {
        let undone = self.host.enter(|| self.undo()).map_err(ToolError::Enter);
        if let Err(error) = undone.and_then(|undone| undone) {
            tracing::error!(
                "the host's network isn't as it was before: {error}; the next start of this node repairs it"
            );
        }
    }
}

/// A link with these addresses alone: no routers' advertisements are heeded, and there is no second of waiting whether
/// somebody else has the link's own address.
fn quiet(device: &str, ipv6: bool) -> Result<(), ToolError> {
    let path = |name: &str| format!("ipv6/conf/{device}/{name}");
    if ipv6 {
        set(&path("accept_ra"), "0")?;
        return set(&path("accept_dad"), "0");
    }
    match setting(&path("disable_ipv6")) {
        Some(_) => set(&path("disable_ipv6"), "1"),
        None => Ok(()),
    }
}

fn net(address: std::net::Ipv4Addr, prefix: u8) -> IpNet {
    Ipv4Net::new_assert(address, prefix).into()
}

fn net_v6(address: std::net::Ipv6Addr, prefix: u8) -> IpNet {
    Ipv6Net::new_assert(address, prefix).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn n1_a_name_that_could_be_an_option_or_more_than_a_name_is_refused() {
        for name in [
            "",
            "-x",
            "a b",
            "a/b",
            "A",
            "a;b",
            "a_b",
            "abcdefghijk",
            "1a",
            "ä",
            "a\n",
        ] {
            assert_eq!(ExitName::new(name), Err(ExitNameError(name.to_owned())));
        }
        let name = ExitName::new("abcdefghi7").unwrap();
        assert_eq!(name.device(), "veil_abcdefghi7");
        assert_eq!(name.table(), "veilpool_abcdefghi7");
    }
}
