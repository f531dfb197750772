//! Small routers on loopback. The ports are the protocols' own, so that every test has an address of its own.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU16,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
};
use veilpool_reach::{HomeRouter, Request, Route, Sensitive, home::Patience};

pub(crate) const PORT: NonZeroU16 = NonZeroU16::new(51820).unwrap();
const NAT_PORT: u16 = 5351;
const SSDP_PORT: u16 = 1900;

/// 127.x.y.z of this process and test.
pub(crate) fn own_address() -> IpAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [.., high, low] = std::process::id().to_be_bytes();
    let last = NEXT.fetch_add(1, Ordering::Relaxed);
    Ipv4Addr::new(127, high | 0x80, low, last).into()
}

pub(crate) fn request(gateway: IpAddr) -> Request {
    Request {
        route: Route {
            gateway: Sensitive::new(gateway),
            local: Sensitive::new(Ipv4Addr::LOCALHOST.into()),
        },
        internal: PORT,
        external: PORT,
        exactly: false,
        lease: Duration::from_secs(7200),
    }
}

/// For routers that answer.
pub(crate) fn router() -> HomeRouter {
    waiting(Duration::from_secs(3))
}

/// For those that don't.
pub(crate) fn impatient() -> HomeRouter {
    waiting(Duration::from_millis(150))
}

fn waiting(discovery: Duration) -> HomeRouter {
    HomeRouter::new(Patience {
        datagram: Duration::from_millis(100),
        discovery,
        control: Duration::from_secs(1),
    })
}

pub(crate) type Log<T> = Arc<Mutex<Vec<T>>>;

/// Answers datagrams by `answer`; none if it says so.
pub(crate) async fn nat_server(
    at: IpAddr,
    mut answer: impl FnMut(&[u8]) -> Option<Vec<u8>> + Send + 'static,
) -> Log<Vec<u8>> {
    let socket = UdpSocket::bind((at, NAT_PORT)).await.unwrap();
    let log = Log::default();
    let seen = Arc::clone(&log);
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            seen.lock().unwrap().push(buffer[..length].to_vec());
            if let Some(reply) = answer(&buffer[..length]) {
                socket.send_to(&reply, from).await.unwrap();
            }
        }
    });
    log
}

/// What a PCP server says to a MAP request.
#[derive(Clone, Copy)]
pub(crate) struct Pcp {
    pub(crate) result: u8,
    pub(crate) lease: u32,
    pub(crate) epoch: u32,
    pub(crate) address: Ipv4Addr,
    pub(crate) port: u16,
}

pub(crate) const GOOD_PCP: Pcp = Pcp {
    result: 0,
    lease: 3600,
    epoch: 1000,
    address: Ipv4Addr::new(93, 184, 216, 34),
    port: 51820,
};

impl Pcp {
    pub(crate) fn answer(self, request: &[u8]) -> Vec<u8> {
        let mut reply = vec![2, 0x81, 0, self.result];
        // A removal is confirmed with a lease of zero.
        let asked = u32::from_be_bytes(request[4..8].try_into().unwrap());
        let lease = if asked == 0 { 0 } else { self.lease };
        reply.extend(lease.to_be_bytes());
        reply.extend(self.epoch.to_be_bytes());
        reply.extend([0; 12]);
        reply.extend(&request[24..42]); // nonce, protocol, internal port
        reply.extend(self.port.to_be_bytes());
        reply.extend(self.address.to_ipv6_mapped().octets());
        reply
    }
}

/// A NAT-PMP server, which knows no PCP and says so.
pub(crate) fn nat_pmp(request: &[u8], address: Ipv4Addr, port: u16, lease: u32) -> Vec<u8> {
    let epoch = 1000u32.to_be_bytes();
    match *request {
        [0, 0] => [&[0, 128, 0, 0], &epoch[..], &address.octets()].concat(),
        [0, 1, ..] => {
            let asked = u32::from_be_bytes(request[8..12].try_into().unwrap());
            let (port, lease) = if asked == 0 { (0, 0) } else { (port, lease) };
            [
                &[0, 129, 0, 0],
                &epoch[..],
                &request[4..6],
                &port.to_be_bytes(),
                &lease.to_be_bytes(),
            ]
            .concat()
        }
        _ => [&[0, request[1] | 128, 0, 1], &epoch[..]].concat(),
    }
}

/// What the router's HTTP server does with a request.
pub(crate) enum Http {
    Reply(u16, String),
    /// Headers, then nothing.
    Hang,
    /// A body without end.
    Endless,
}

/// An Internet Gateway Device: discovery for its own address, and HTTP. `answer` gets path and body.
pub(crate) async fn igd(
    at: IpAddr,
    location: impl FnOnce(SocketAddr) -> String,
    answer: impl Fn(&str, &str) -> Http + Send + Sync + 'static,
) -> Log<String> {
    let http = TcpListener::bind((at, 0)).await.unwrap();
    let location = location(http.local_addr().unwrap());
    let ssdp = UdpSocket::bind((at, SSDP_PORT)).await.unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        loop {
            let (length, from) = ssdp.recv_from(&mut buffer).await.unwrap();
            assert!(buffer[..length].starts_with(b"M-SEARCH * HTTP/1.1\r\n"));
            let reply = format!(
                "HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\
                 USN: uuid:1\r\nLOCATION: {location}\r\n\r\n"
            );
            ssdp.send_to(reply.as_bytes(), from).await.unwrap();
        }
    });
    let log = Log::default();
    let seen = Arc::clone(&log);
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        loop {
            let (stream, _) = http.accept().await.unwrap();
            let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
            tokio::spawn(async move {
                let _ = serve(stream, |path, body| {
                    seen.lock().unwrap().push(format!("{path} {body}"));
                    answer(path, body)
                })
                .await;
            });
        }
    });
    log
}

async fn serve(mut stream: TcpStream, answer: impl Fn(&str, &str) -> Http) -> std::io::Result<()> {
    let mut request = String::new();
    let mut buffer = [0; 4096];
    let body = loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        request += std::str::from_utf8(&buffer[..length]).unwrap();
        let Some((head, body)) = request.split_once("\r\n\r\n") else {
            continue;
        };
        let head = head.to_lowercase();
        let wanted = head
            .split_once("content-length: ")
            .map_or("0", |(_, rest)| rest.lines().next().unwrap());
        if body.len() >= wanted.parse().unwrap() {
            break body;
        }
    };
    let path = request.split(' ').nth(1).unwrap();
    match answer(path, body) {
        Http::Reply(status, body) => {
            let reply = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(reply.as_bytes()).await
        }
        Http::Hang => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
                .await?;
            std::future::pending().await
        }
        Http::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            loop {
                stream.write_all(&[b'<'; 65536]).await?;
            }
        }
    }
}

pub(crate) const SERVICE: &str = "urn:schemas-upnp-org:service:WANIPConnection:1";

pub(crate) fn description(control: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType>\
         <serviceList><service><serviceType>{SERVICE}</serviceType><serviceId>x</serviceId>\
         <SCPDURL>/scpd</SCPDURL><controlURL>{control}</controlURL><eventSubURL>/e</eventSubURL></service></serviceList></device></root>"
    )
}

/// The actions of version 1 of the service, with the names of what they take.
pub(crate) fn scpd() -> String {
    let action = |name: &str, takes: &[&str]| {
        let arguments: String = takes
            .iter()
            .map(|name| {
                format!("<argument><name>{name}</name><direction>in</direction></argument>")
            })
            .collect();
        format!("<action><name>{name}</name><argumentList>{arguments}</argumentList></action>")
    };
    format!(
        "<?xml version=\"1.0\"?><scpd xmlns=\"urn:schemas-upnp-org:service-1-0\"><actionList>{}{}{}</actionList></scpd>",
        action("GetExternalIPAddress", &[]),
        action(
            "AddPortMapping",
            &[
                "NewRemoteHost",
                "NewExternalPort",
                "NewProtocol",
                "NewInternalPort",
                "NewInternalClient",
                "NewEnabled",
                "NewPortMappingDescription",
                "NewLeaseDuration",
            ],
        ),
        action(
            "DeletePortMapping",
            &["NewRemoteHost", "NewExternalPort", "NewProtocol"],
        ),
    )
}

pub(crate) fn soap(action: &str, inside: &str) -> Http {
    Http::Reply(
        200,
        format!(
            "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
             <u:{action}Response xmlns:u=\"{SERVICE}\">{inside}</u:{action}Response></s:Body></s:Envelope>"
        ),
    )
}

pub(crate) fn fault(code: u16) -> Http {
    Http::Reply(
        500,
        format!(
            "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault>\
             <faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>\
             <UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>{code}</errorCode>\
             <errorDescription>x</errorDescription></UPnPError></detail></s:Fault></s:Body></s:Envelope>"
        ),
    )
}

/// A router that forwards, with this external address; `add` is asked first about port mappings.
pub(crate) fn forwarding(
    external: &'static str,
    add: impl Fn(&str) -> Option<Http> + Send + Sync + 'static,
) -> impl Fn(&str, &str) -> Http + Send + Sync + 'static {
    move |path, body| match path {
        "/root.xml" => Http::Reply(200, description("/control")),
        "/scpd" => Http::Reply(200, scpd()),
        _ if body.contains("GetExternalIPAddress") => soap(
            "GetExternalIPAddress",
            &format!("<NewExternalIPAddress>{external}</NewExternalIPAddress>"),
        ),
        _ if body.contains("DeletePortMapping") => soap("DeletePortMapping", ""),
        _ => add(body).unwrap_or_else(|| soap("AddPortMapping", "")),
    }
}

pub(crate) fn at_root(http: SocketAddr) -> String {
    format!("http://{http}/root.xml")
}
