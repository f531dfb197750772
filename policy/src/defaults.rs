//! What is refused when a file says nothing of it, each with its reason.
//!
//! Compared with: Tor's `DEFAULT_EXIT_POLICY` (25, 119, 135-139, 445, 563, 1214, 4661-4666, 6346-6429,
//! 6699, 6881-6999), its reduced policy (a list of allowed ports without 25), and ports that access
//! providers filter. A list in a file replaces the list here; special addresses are refused in any case.

/// Mail from server to server.
pub const SMTP: u16 = 25;

/// TCP ports, first and last of each range.
///
/// Left open on purpose: 465 and 587, where mail is submitted with a name and a password, so that it
/// is the mail provider who answers for it (Tor refused them once, and doesn't any more); 22 and 3389,
/// which guests use for work, though passwords are guessed there; 6697, IRC by TLS.
pub const REFUSED_TCP: &[(u16, u16)] = &[
    // Mail from server to server needs no password: spam, and the line's address on every block list.
    (SMTP, SMTP),
    // Telnet, also at 2323: nearly all of it is bots that look for devices (Mirai).
    (23, 23),
    (2323, 2323),
    // Usenet, plain and by TLS (563): spam and copyright notices. Tor refuses both.
    (119, 119),
    (563, 563),
    // Windows RPC, NetBIOS and SMB: worms. Outside of a home network nobody means to use them.
    (135, 139),
    (445, 445),
    // Android's debug bridge and routers' remote management (TR-069): bots.
    (5555, 5555),
    (7547, 7547),
    // IRC in the clear: botnets are led by it, and quarrels there end in floods against the line.
    (6660, 6669),
    // BitTorrent's usual ports. It finds others, but most copyright notices name these.
    (6881, 6999),
];

/// UDP ports, first and last of each range.
pub const REFUSED_UDP: &[(u16, u16)] = &[
    // NetBIOS and SMB, as for TCP.
    (135, 139),
    (445, 445),
    // UPnP and NAT-PMP/PCP: how a program opens ports of a home router.
    (1900, 1900),
    (5351, 5351),
    // BitTorrent, as for TCP.
    (6881, 6999),
    // memcached: answers many thousand times as long as the question.
    (11211, 11211),
];
