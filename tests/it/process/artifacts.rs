//! Models and artifacts in a bucket: two programs of different folders, as if on two machines.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::program::{Home, Server};
use super::serve::{get, post, shop, train};
use crate::support::s3::S3Server;

/// A bucket `shop` on a server of its own.
struct Bucket {
    server: S3Server,
    folder: tempfile::TempDir,
}

impl Bucket {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("shop")).unwrap();
        Self { server: S3Server::start(folder.path()), folder }
    }

    /// A program that keeps its models and artifacts here.
    fn program(&self, home: &Home) -> Server {
        let mut variables = self.server.variables().to_vec();
        variables.push(("FORECAST_MODEL_ARTIFACTS_DIR", "s3://shop/prod/models".to_owned()));
        variables.push(("REGISTRY_ARTIFACT_ROOT", "s3://shop/prod".to_owned()));
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Server::start_with(home, &variables)
    }

    /// The file behind `s3://shop/…`.
    fn file(&self, url: &str) -> PathBuf {
        self.folder.path().join(url.strip_prefix("s3://").unwrap())
    }

    /// Everything in the bucket that is no record of the server's own.
    fn objects(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, found) } else { found.push(path) }
            }
        }
        let mut found = Vec::new();
        walk(&self.folder.path().join("shop"), &mut found);
        found
    }
}

fn predict(server: &Server, path: &str) -> (u16, Value) {
    let body = json!({"store_id": 1, "product_id": 1, "horizon": 7, "model_path": path});
    post(&format!("{}/forecasting/predict", server.url), &body)
}

/// Registers a run whose artifact this is; the answer of its verification.
fn verify(server: &Server, uri: &str, hash: &str) -> (u16, Value) {
    let body = json!({"model_type": "naive", "model_config": {}, "data_window_start": "2024-01-01",
        "data_window_end": "2024-03-04", "store_id": 1, "product_id": 1});
    let (status, run) = post(&format!("{}/registry/runs", server.url), &body);
    assert_eq!(status, 201, "{run}");
    let url = format!("{}/registry/runs/{}", server.url, run["run_id"].as_str().unwrap());
    let change = json!({"artifact_uri": uri, "artifact_hash": hash});
    let answer = tokio::runtime::Runtime::new().unwrap().block_on(async {
        reqwest::Client::new().patch(&url).json(&change).send().await.unwrap().status().as_u16()
    });
    assert_eq!(answer, 200);
    get(&format!("{url}/verify"))
}

#[test]
fn models_in_a_bucket_are_trained_by_one_program_and_read_by_another() {
    let (bucket, home, other) = (Bucket::new(), Home::new("bucket-a"), Home::new("bucket-b"));
    shop(&home);
    shop(&other);
    let (server, elsewhere) = (bucket.program(&home), bucket.program(&other));

    let (status, trained) = train(&server, &json!({"model_type": "seasonal_naive"}));
    assert_eq!(status, 200, "{trained}");
    let path = trained["model_path"].as_str().unwrap();
    assert!(path.starts_with("s3://shop/prod/models/model_"), "{path}");
    let (here, there) = (predict(&server, path), predict(&elsewhere, path));
    assert_eq!((here.0, there.0), (200, 200), "{here:?} {there:?}");
    assert_eq!(here.1["forecasts"], there.1["forecasts"]);
    assert_eq!(bucket.objects(), [bucket.file(path)]);
    assert!(!home.folder.join("artifacts").exists());

    for (path, status) in [
        ("s3://shop/prod/models/model_gone.rcm", 404),
        ("s3://shop/prod/models/model.pkl", 400),
        ("s3://shop/prod/models/../secret.rcm", 400),
        ("s3://shop/other/model.rcm", 400),
        ("s3://bazaar/prod/models/model.rcm", 400),
        ("artifacts/models/model.rcm", 400),
        ("/etc/model.rcm", 400),
    ] {
        let (answered, problem) = predict(&server, path);
        assert_eq!(answered, status, "{path}: {problem}");
    }

    // The registry reads the same bucket, by URIs relative to its own root.
    let uri = path.strip_prefix("s3://shop/prod/").unwrap();
    let (status, found) = verify(&server, uri, &"0".repeat(64));
    assert_eq!((status, &found["verified"]), (200, &json!(false)), "{found}");
    let hash = found["computed_hash"].as_str().unwrap().to_owned();
    assert_eq!(verify(&elsewhere, uri, &hash).1["verified"], true);
    assert_eq!(verify(&server, "models/gone", &hash).0, 404);
    assert_eq!(verify(&server, "../shop/prod/x", &hash).0, 400);

    let mut bytes = std::fs::read(bucket.file(path)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(bucket.file(path), bytes).unwrap();
    let (status, problem) = predict(&server, path);
    assert_eq!(status, 500, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("checksum"), "{problem}");
    assert_eq!(verify(&server, uri, &hash).1["verified"], false);
    let (status, trained) = train(&server, &json!({"model_type": "naive"}));
    assert_eq!(status, 200, "{trained}");
    elsewhere.stop();
    server.stop();
}

#[test]
fn a_bucket_that_is_down_fails_the_request_and_leaves_nothing_half_written() {
    let (bucket, home) = (Bucket::new(), Home::new("bucket-down"));
    shop(&home);
    let server = bucket.program(&home);
    let (_, trained) = train(&server, &json!({"model_type": "naive"}));
    let path = trained["model_path"].as_str().unwrap().to_owned();
    let Bucket { server: endpoint, folder } = bucket;
    let address = endpoint.address.to_string();
    drop(endpoint);

    for (status, problem) in [
        train(&server, &json!({"model_type": "naive"})),
        predict(&server, &path),
        verify(&server, "models/x", &"0".repeat(64)),
    ] {
        assert_eq!((status, &problem["code"]), (500, &json!("INTERNAL_ERROR")), "{problem}");
        assert!(!problem.to_string().contains(&address), "{problem}");
    }
    assert_eq!(get(&format!("{}/health", server.url)).0, 200);
    let models = std::fs::read_dir(folder.path().join("shop/prod/models")).unwrap();
    assert_eq!(models.count(), 1);
    let (code, log) = server.stop();
    assert_eq!(code, Some(0));
    let told = log
        .iter()
        .filter(|line| line.contains(&address) && line.contains("s3://shop/prod/models/model_"))
        .count();
    assert_eq!(told, 2, "{log:#?}");
    assert_eq!(log.iter().filter(|line| line.contains("Connection refused")).count(), 3, "{log:#?}");
}

#[test]
fn a_bucket_without_credentials_or_of_another_kind_stops_the_start() {
    let home = Home::new("bucket-settings");
    let refused = |root: &str| {
        let mut command = home.command(&["serve", "--port", "0"]);
        let output = command.env("FORECAST_MODEL_ARTIFACTS_DIR", root).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = refused("ftp://shop/models");
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("forecast.model_artifacts_dir") && text.contains("s3://BUCKET"), "{text}");
    let (code, text) = refused("az://shop/models");
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("forecast.model_artifacts_dir") && text.contains("az://shop/models"), "{text}");
}
