//! `retailcast serve`: start, graceful stop, kill.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use super::program::{Home, Server, kill, wait_until};
use crate::support::database::workspace;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

pub(super) fn get(url: &str) -> (u16, Value) {
    runtime().block_on(async {
        let answer = reqwest::get(url).await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    })
}

pub(super) fn post(url: &str, body: &Value) -> (u16, Value) {
    runtime().block_on(async {
        let answer = reqwest::Client::new().post(url).json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    })
}

pub(super) fn shop(home: &Home) {
    let write = |name: &str, text: &str| std::fs::write(home.folder.join(name), text).unwrap();
    write("stores.csv", "store_code\nBER-01\n");
    write("products.csv", "sku\nTEA\n");
    let mut sales = String::from("date,store_code,sku,quantity,unit_price\n");
    for i in 0..60 {
        sales += &format!("2024-{:02}-{:02},BER-01,TEA,{},2.5\n", 1 + i / 28, 1 + i % 28, 10 + i % 7);
    }
    write("sales.csv", &sales);
    for (what, file) in [("stores", "stores.csv"), ("products", "products.csv"), ("sales", "sales.csv")] {
        home.succeed(&["import", what, file]);
    }
}

pub(super) fn train(server: &Server, model: &Value) -> (u16, Value) {
    let body = json!({"store_id": 1, "product_id": 1, "train_start_date": "2024-01-01", "train_end_date": "2024-03-04",
                      "config": model});
    post(&format!("{}/forecasting/train", server.url), &body)
}

#[test]
fn starts_serves_and_stops_with_the_embedded_database() {
    let home = Home::new("serve");
    shop(&home);
    let server = Server::start(&home);
    assert_eq!(get(&format!("{}/health/ready", server.url)).0, 200);
    let (status, trained) = train(&server, &json!({"model_type": "seasonal_naive"}));
    assert_eq!(status, 200, "{trained}");
    let path = trained["model_path"].as_str().unwrap();
    assert!(path.starts_with("artifacts/models/model_"), "{path}");
    let body = json!({"store_id": 1, "product_id": 1, "horizon": 7, "model_path": path});
    assert_eq!(post(&format!("{}/forecasting/predict", server.url), &body).0, 200);
    assert!(home.postgres().is_some());
    let (code, log) = server.stop();
    assert_eq!(code, Some(0));
    assert!(home.postgres().is_none());
    // Every line of a request carries its id.
    let requests: Vec<Value> = log.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let requests: Vec<&Value> = requests.iter().filter(|line| line["message"] == "request").collect();
    assert_eq!(requests.len(), 3);
    assert!(
        requests.iter().all(|line| line["request_id"].is_string() && line["duration_ms"].is_number()),
        "{requests:?}"
    );
}

#[test]
fn running_requests_end_before_a_stop() {
    let home = Home::new("graceful");
    shop(&home);
    let folder = home.folder.join("plugins");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("hostile.wasm"), retailcast_test_guests::HOSTILE).unwrap();
    std::fs::write(
        home.folder.join("retailcast.toml"),
        "[plugins]\ndir = \"plugins\"\n[plugins.settings.hostile]\nlimits = { fit_seconds = 1.5 }\n",
    )
    .unwrap();
    let server = Server::start(&home);
    let url = server.url.clone();
    let slow = std::thread::spawn(move || {
        let body = json!({"store_id": 1, "product_id": 1, "train_start_date": "2024-01-01", "train_end_date": "2024-03-04",
                          "config": {"model_type": "hostile", "fault": "loop-in-fit"}});
        post(&format!("{url}/forecasting/train"), &body)
    });
    std::thread::sleep(Duration::from_millis(700));
    let (code, _) = server.stop();
    assert_eq!(code, Some(0));
    let (status, problem) = slow.join().unwrap();
    assert_eq!((status, &problem["plugin_error"]), (504, &json!("RC-P009")), "{problem}");
}

#[test]
fn a_killed_server_leaves_a_database_that_starts_again() {
    let home = Home::new("killed");
    shop(&home);
    // The embedded server outlives its program: the next one finds it running …
    Server::start(&home).kill();
    let postgres = home.postgres().expect("it goes on");
    let server = Server::start(&home);
    assert_eq!(home.postgres(), Some(postgres));
    assert_eq!(train(&server, &json!({"model_type": "naive"})).0, 200);
    server.kill();
    // … and when both are killed, the data recovers.
    kill(postgres, "KILL");
    wait_until(|| home.postgres().is_none());
    let server = Server::start(&home);
    assert_eq!(train(&server, &json!({"model_type": "naive"})).0, 200);
    assert_eq!(server.stop().0, Some(0));
    assert!(home.postgres().is_none());
}

#[test]
fn two_programs_share_the_embedded_database() {
    let home = Home::new("shared");
    shop(&home);
    let first = Server::start(&home);
    let second = Server::start(&home);
    let postgres = home.postgres();
    assert_eq!(first.stop().0, Some(0));
    assert_eq!(home.postgres(), postgres, "the second still uses it");
    assert_eq!(train(&second, &json!({"model_type": "naive"})).0, 200);
    assert_eq!(second.stop().0, Some(0));
    assert!(home.postgres().is_none());
}

#[test]
fn a_killed_import_leaves_nothing_half_written() {
    let home = Home::new("killed-import");
    let data = workspace().join("tests/data/bakery");
    let file = |name: &str| data.join(name).to_str().unwrap().to_owned();
    home.succeed(&["import", "stores", &file("stores.csv")]);
    home.succeed(&["import", "products", &file("products.csv")]);
    // The server keeps the database alive while the import dies.
    let server = Server::start(&home);
    let sales = || -> i64 {
        // As many days as a window may have, each.
        let spans = [("2016-01-01", "2017-12-30"), ("2017-12-31", "2019-03-05")];
        let count = |(first, last): (&str, &str)| {
            let path = format!("/analytics/kpis?start_date={first}&end_date={last}");
            get(&format!("{}{path}", server.url)).1["metrics"]["total_transactions"].as_i64().unwrap()
        };
        spans.into_iter().map(count).sum()
    };
    // Two requests see two moments, and a commit that was sent before the kill may come between them: twice the same.
    let settled = || loop {
        let kept = sales();
        if kept == sales() {
            return kept;
        }
    };
    let mut killed = 0;
    for wait in [150, 400, 800, 1_500] {
        let mut import = home
            .command(&["import", "sales", &file("sales_daily.csv.gz")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        let ended = import.try_wait().unwrap().is_some();
        if ended {
            break;
        }
        import.kill().unwrap();
        import.wait().unwrap();
        killed += 1;
        // It may have committed just before it was killed: then everything is there.
        match settled() {
            0 => {}
            kept => {
                assert_eq!(kept, 104_310, "a part of the import is there");
                break;
            }
        }
    }
    assert!(killed > 0, "the import was too quick to be killed");
    assert!(!Path::new(&home.folder).join("sales_daily.rejects.csv").exists());
    assert!(home.succeed(&["import", "sales", &file("sales_daily.csv.gz")]).contains("104310 written"));
    assert_eq!(server.stop().0, Some(0));
}

#[test]
fn plugins_are_loaded_again_on_a_hangup() {
    let home = Home::new("reload");
    let server = Server::start(&home);
    let wanted = json!({"store_id": 1, "product_id": 1, "train_start_date": "2024-01-01", "train_end_date": "2024-03-04",
                        "config": {"model_type": "hostile"}});
    let train = || post(&format!("{}/forecasting/train", server.url), &wanted).0;
    assert_eq!(train(), 422);
    let folder = home.folder.join(".retailcast/plugins");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("hostile.wasm"), retailcast_test_guests::HOSTILE).unwrap();
    kill(server.child.id(), "HUP");
    // The model is known now; there are no sales.
    wait_until(|| train() == 400);
    assert_eq!(server.stop().0, Some(0));
}
