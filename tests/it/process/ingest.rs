//! Bulk loads: connections that break, servers that are killed.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use super::program::{Home, Server};

const ROWS: usize = 120_000;

/// 30 stores, 10 products, 400 days.
fn sales() -> String {
    let mut text = String::from("date,store_code,sku,quantity,unit_price,total_amount\n");
    for i in 0..ROWS {
        let (store, product, day) = (i % 30, i / 30 % 10, (i / 300) as i32);
        let date = retailcast_core::Day(19_723 + day);
        text += &format!("{date},S{store},P{product},{},2.5,5\n", i % 9);
    }
    text
}

async fn send(server: &Server, what: &str, body: String) -> reqwest::Result<Value> {
    let request = reqwest::Client::new().post(format!("{}/ingest/{what}", server.url));
    request.header("content-type", "text/csv").body(body).send().await?.json().await
}

async fn prepare(server: &Server) {
    let numbered = |head: &str, letter: char, n: usize| {
        (0..n).map(|i| format!("{letter}{i},x\n")).fold(head.to_owned(), |text, line| text + &line)
    };
    let days: Vec<String> = (0..400).map(|i| (retailcast_core::Day(19_723 + i)).to_string()).collect();
    for (what, body) in [
        ("stores", numbered("code,name\n", 'S', 30)),
        ("products", numbered("sku,name\n", 'P', 10)),
        ("calendar", format!("date\n{}\n", days.join("\n"))),
    ] {
        assert_eq!(send(server, what, body).await.unwrap()["rejected_count"], 0);
    }
}

async fn count(server: &Server) -> u64 {
    let path = "/analytics/kpis?start_date=2024-01-01&end_date=2025-06-01";
    let answer: Value = reqwest::get(format!("{}{path}", server.url)).await.unwrap().json().await.unwrap();
    answer["metrics"]["total_transactions"].as_u64().unwrap()
}

#[test]
fn what_is_cut_off_or_killed_leaves_nothing_half_written() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let home = Home::new("ingest");
    let server = Server::start(&home);
    runtime.block_on(prepare(&server));

    // A client that goes away in the middle of its body, whether it had announced a length or not.
    let text = sales();
    let half = &text[..text.len() / 2];
    let address = server.url.trim_start_matches("http://");
    for framing in [format!("content-length: {}", text.len()), "transfer-encoding: chunked".to_owned()] {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = format!(
            "POST /ingest/sales-daily HTTP/1.1\r\nhost: x\r\ncontent-type: text/csv\r\n{framing}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        if framing.contains("chunked") {
            stream.write_all(format!("{:x}\r\n", text.len()).as_bytes()).unwrap();
        }
        stream.write_all(half.as_bytes()).unwrap();
    }
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(runtime.block_on(count(&server)), 0);

    // A server that is killed while it writes: nothing or, if the load was just through, everything.
    let killed = runtime.block_on(async {
        let load = send(&server, "sales-daily", text.clone());
        tokio::time::timeout(Duration::from_millis(400), load).await
    });
    server.kill();
    let server = Server::start(&home);
    let kept = runtime.block_on(count(&server));
    let whole = matches!(killed, Ok(Ok(_)));
    assert!(kept == 0 || kept == ROWS as u64, "{kept} rows after the kill");
    assert!(!whole || kept == ROWS as u64, "an answered load is gone");

    // The same again, to the end.
    let answer = runtime.block_on(send(&server, "sales-daily", text)).unwrap();
    assert_eq!(answer["processed_count"], ROWS, "{answer}");
    assert_eq!(runtime.block_on(count(&server)), ROWS as u64);
    assert_eq!(server.stop().0, Some(0));
}
