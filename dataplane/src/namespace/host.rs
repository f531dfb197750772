//! The host's side: a table for each node, and forwarding, which is turned on only where it is off.
//!
//! A host that forwards is a router for whoever sends packets through it. So where it didn't before, the table `veilpool`
//! lets the nodes' links alone be forwarded. It also holds what the settings were, so that they are restored by the last
//! node that ends, even if the one that changed them was killed.

use std::{fmt::Write as _, fs};

use super::{
    ExitName,
    link::Link,
    netns::turn,
    tools::{SETTINGS, ToolError, ip, load, nft, set, setting},
};

/// How all nodes' links begin.
const LINKS: &str = "veil_*";
/// The table of what all nodes of a host share.
const SHARED: &str = "veilpool";
const FORWARD: &str = "ipv4/ip_forward";
const FORWARD_V6: &str = "ipv6/conf/all/forwarding";

/// Takes away what a node of this name left: its link and its table.
pub(crate) fn clear(name: &ExitName) -> Result<(), ToolError> {
    let (device, table) = (name.device(), name.table());
    if setting(&format!("ipv4/conf/{device}/forwarding")).is_some() {
        ip(&["link", "del", "dev", &device])?;
    }
    load(&format!("table inet {table}\ndelete table inet {table}\n"))
}

/// Loads the node's table: what comes from the namespace reaches nothing of this machine, and nothing but answers
/// reaches the namespace.
pub(crate) fn guard(name: &ExitName, link: Link) -> Result<(), ToolError> {
    let (device, table) = (name.device(), name.table());
    let (inside, inside_v6) = (link.inside(), link.inside_v6());
    load(&format!(
        "table inet {table}
delete table inet {table}
table inet {table} {{
	chain input {{
		type filter hook input priority filter; policy accept;
		iifname != \"{device}\" accept
		icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept
		counter drop comment \"this machine\"
	}}
	chain forward {{
		type filter hook forward priority filter; policy accept;
		iifname \"{device}\" ip saddr != {inside} counter drop comment \"spoofed\"
		iifname \"{device}\" ip6 saddr != {inside_v6} counter drop comment \"spoofed\"
		oifname \"{device}\" ct state established,related accept
		oifname \"{device}\" counter drop comment \"not asked for\"
	}}
	chain postrouting {{
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr {inside} oifname != \"{device}\" counter masquerade
		ip6 saddr {inside_v6} oifname != \"{device}\" counter masquerade
	}}
}}
"
    ))
}

/// Turns forwarding on, if it is off.
pub(crate) fn forward(ipv6: bool) -> Result<(), ToolError> {
    let _turn = turn().map_err(ToolError::Turn)?;
    for (path, version, wanted) in [(FORWARD, "ipv4", true), (FORWARD_V6, "ipv6", ipv6)] {
        if !wanted || setting(path).as_deref() != Some("0") {
            continue;
        }
        let before = match version {
            "ipv4" => before_v4(),
            _ => before_v6(),
        };
        load(&shared(version, path, &before))?;
        // With forwarding on, routers' advertisements are heeded only at 2: without them the host loses its own IPv6.
        for (path, _) in before
            .iter()
            .filter(|(path, _)| path.ends_with("/accept_ra"))
        {
            set(path, "2")?;
        }
        set(path, "1")?;
        tracing::info!(
            "{path} was off and is on while a node runs; nothing but nodes' traffic is forwarded. Set it to 1 yourself for other programs that need it (Docker, libvirt), before a node starts"
        );
    }
    Ok(())
}

/// Restores what [`forward`] changed, unless other nodes run.
pub(crate) fn restore() -> Result<(), ToolError> {
    let _turn = turn().map_err(ToolError::Turn)?;
    let tables = nft(&["list", "tables", "inet"])?;
    let names = || {
        tables
            .lines()
            .filter_map(|line| line.strip_prefix("table inet "))
    };
    let others = names().any(|name| {
        let rest = name
            .strip_prefix(SHARED)
            .and_then(|rest| rest.strip_prefix('_'));
        rest.is_some_and(|node| ExitName::new(node).is_ok())
    });
    if others || !names().any(|name| name == SHARED) {
        return Ok(());
    }
    let listed = nft(&["list", "chain", "inet", SHARED, "restore"])?;
    for (path, value) in listed.lines().filter_map(remembered) {
        // An interface that is gone has no settings.
        if setting(path).is_some_and(|now| now != value) {
            set(path, value)?;
            tracing::info!("{path} is {value} again");
        }
    }
    load(&format!("delete table inet {SHARED}\n"))
}

/// What turning IPv4 forwarding off again would change beside it: it goes to all interfaces, and redirects are accepted.
fn before_v4() -> Vec<(String, String)> {
    let mut before = settings("ipv4", "forwarding", "1");
    let redirects = "ipv4/conf/all/accept_redirects";
    if setting(redirects).as_deref() == Some("0") {
        before.push((redirects.to_owned(), "0".to_owned()));
    }
    before
}

fn before_v6() -> Vec<(String, String)> {
    let mut before = settings("ipv6", "forwarding", "1");
    before.extend(settings("ipv6", "accept_ra", "1"));
    before
}

/// Interfaces' settings that have this value.
fn settings(version: &str, name: &str, value: &str) -> Vec<(String, String)> {
    let Ok(interfaces) = fs::read_dir(format!("{SETTINGS}/{version}/conf")) else {
        return Vec::new();
    };
    let names = interfaces.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names
        .filter(|interface| !interface.starts_with(LINKS.trim_end_matches('*')) && plain(interface))
        .filter(|interface| interface != "all" || name == "accept_ra")
        .map(|interface| format!("{version}/conf/{interface}/{name}"))
        .filter(|path| setting(path).as_deref() == Some(value))
        .map(|path| (path, value.to_owned()))
        .collect()
}

/// Whether a name can stand in a path and in a comment.
fn plain(interface: &str) -> bool {
    !interface.starts_with('.')
        && interface
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-@".contains(&b))
}

fn shared(version: &str, path: &str, before: &[(String, String)]) -> String {
    let mut out = format!("table inet {SHARED} {{\n\tchain restore {{\n");
    let main = (path.to_owned(), "0".to_owned());
    for (path, value) in [&main].into_iter().chain(before) {
        // Writing to a string can't fail.
        let _ = writeln!(out, "\t\tcounter comment \"{path}={value}\"");
    }
    // Between ports of a bridge nothing is routed, and some hosts ask these rules all the same.
    let _ = write!(
        out,
        "\t}}
	chain forward {{
		type filter hook forward priority filter; policy accept;
		iifname \"{LINKS}\" accept
		oifname \"{LINKS}\" accept
		meta iifkind \"bridge\" meta oifkind \"bridge\" accept
		meta nfproto {version} counter drop comment \"forwarding was off\"
	}}
}}
"
    );
    out
}

/// A setting and its value, from a rule that says `comment "path=value"`.
fn remembered(rule: &str) -> Option<(&str, &str)> {
    let (_, rest) = rule.split_once("comment \"")?;
    let (said, _) = rest.split_once('"')?;
    let (path, value) = said.split_once('=')?;
    let known = path.starts_with("ipv4/") || path.starts_with("ipv6/");
    let inside = path.split('/').all(plain);
    let number = value.bytes().all(|b| b.is_ascii_digit());
    (known && inside && number).then_some((path, value))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_is_read_from_the_rules_that_say_it_and_from_nothing_else() {
        let before = [("ipv6/conf/eth0.7/accept_ra".to_owned(), "1".to_owned())];
        let rules = shared("ipv6", FORWARD_V6, &before);
        let found: Vec<_> = rules.lines().filter_map(remembered).collect();
        assert_eq!(
            found,
            [(FORWARD_V6, "0"), ("ipv6/conf/eth0.7/accept_ra", "1")]
        );
        for other in [
            "counter comment \"../../kernel/modules_disabled=1\"",
            "counter comment \"ipv4/../../kernel/x=1\"",
            "counter comment \"ipv4/ip_forward=x\"",
            "counter comment \"forwarding was off\"",
        ] {
            assert_eq!(remembered(other), None, "{other}");
        }
    }
}
