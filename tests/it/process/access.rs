//! Keys made on the command line, WebSockets and connections of a running server.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, handshake::client::Response};

use super::program::{Home, Server};

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn open(server: &Server, protocols: Option<&str>) -> Result<(Socket, Response), u16> {
    let url = format!("{}/agents/stream", server.url.replace("http://", "ws://"));
    let mut request = url.into_client_request().unwrap();
    if let Some(protocols) = protocols {
        let value = HeaderValue::from_str(protocols).unwrap();
        request.headers_mut().insert("sec-websocket-protocol", value);
    }
    tokio_tungstenite::connect_async(request).await.map_err(|e| match e {
        Error::Http(answer) => answer.status().as_u16(),
        other => panic!("{other}"),
    })
}

fn status(url: &str, key: &str) -> u16 {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        reqwest::Client::new().get(url).bearer_auth(key).send().await.unwrap().status().as_u16()
    })
}

#[test]
fn keys_are_made_shown_once_and_revoked() {
    let home = Home::new("access");
    let refused = home.refuse(&["serve", "--host", "0.0.0.0"]);
    assert!(refused.contains("[access]\nrequire_keys = true"), "{refused}");
    std::fs::write(home.folder.join("retailcast.toml"), "[access]\nrequire_keys = true\n").unwrap();
    let token = home.succeed(&["key", "create", "--scope", "write", "--name", "till 7"]).trim().to_owned();
    let id = &token[3..15];
    let listed = home.succeed(&["key", "list"]);
    assert!(listed.contains(id) && listed.contains("till 7") && listed.contains("valid"), "{listed}");
    assert!(!listed.contains(&token[16..]), "{listed}");

    let server = Server::start(&home);
    let stores = format!("{}/dimensions/stores", server.url);
    assert_eq!(status(&stores, &token), 200);
    assert_eq!(status(&format!("{}/seeder/status", server.url), &token), 403);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        assert_eq!(open(&server, None).await.unwrap_err(), 401);
        // As a browser sends it.
        let (_, answer) = open(&server, Some(&format!("retailcast, key.{token}"))).await.unwrap();
        assert_eq!(answer.headers()["sec-websocket-protocol"], "retailcast");
    });
    home.succeed(&["key", "revoke", id]);
    assert!(home.refuse(&["key", "revoke", "ffffffffffff"]).contains("key list"));
    std::thread::sleep(Duration::from_millis(2_100));
    assert_eq!(status(&stores, &token), 401);
    let (code, log) = server.stop();
    assert_eq!(code, Some(0));
    assert!(!log.iter().any(|line| line.contains(&token[16..])), "the key is in the log");
}

#[test]
fn web_sockets_and_connections_have_limits() {
    let home = Home::new("access-limits");
    std::fs::write(
        home.folder.join("retailcast.toml"),
        "[server]\nmax_websockets = 1\nmax_connections = 3\n[access]\nrequests_per_second = 1\nburst = 4\n",
    )
    .unwrap();
    let server = Server::start(&home);
    let first = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (first, _) = open(&server, None).await.unwrap();
        assert_eq!(open(&server, None).await.unwrap_err(), 503);
        drop(first);
        // The room is free again as soon as the server has seen the end.
        for _ in 0..100 {
            if let Ok((socket, _)) = open(&server, None).await {
                return Some(socket);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        None
    });
    assert!(first.is_some(), "a WebSocket that ended still takes room");
    drop(first);

    // A connection beyond the limit is taken when another one ends. Requests to /health are not counted.
    let address = server.url.trim_start_matches("http://").to_owned();
    let ask = |stream: &mut TcpStream| -> std::io::Result<usize> {
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")?;
        stream.read(&mut [0; 512])
    };
    let connect = || {
        let stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        stream
    };
    let mut open: Vec<TcpStream> = (0..3).map(|_| connect()).collect();
    for stream in &mut open {
        assert!(ask(stream).unwrap() > 0);
    }
    let mut waiting = connect();
    assert!(ask(&mut waiting).is_err(), "a fourth connection is served beside three");
    open.pop();
    waiting.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert!(waiting.read(&mut [0; 512]).unwrap() > 0);
    drop((open, waiting));

    // Without keys an address is counted. Some of its requests were used up above.
    let stores = format!("{}/dimensions/stores", server.url);
    let answers: Vec<u16> = (0..6).map(|_| status(&stores, "")).collect();
    assert!(answers.contains(&429), "{answers:?}");
    assert_eq!(server.stop().0, Some(0));
}
