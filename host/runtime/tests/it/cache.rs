//! Compiled code on disk.

use std::fs;

use retailcast_runtime::{Catalogue, CatalogueSettings, Engine, EngineSettings};

fn load(cache: &std::path::Path) -> Catalogue {
    let settings = CatalogueSettings { cache: Some(cache.to_owned()), ..CatalogueSettings::default() };
    let naive = retailcast_bundled::find("naive").unwrap();
    let engine = Engine::new(EngineSettings::default()).unwrap();
    Catalogue::load(engine, settings, [(naive.name, naive.component)]).unwrap()
}

fn code_files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|e| e == "code")).collect()
}

#[test]
fn a_damaged_or_foreign_cache_file_is_a_miss_and_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(load(folder.path()).model_types(), ["naive"]);
    let [file] = &code_files(folder.path())[..] else { panic!("one file") };
    let good = fs::read(file).unwrap();

    let mut damaged = good.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    for bytes in [&damaged[..], &good[..100], &[], &good[32..]] {
        fs::write(file, bytes).unwrap();
        assert_eq!(load(folder.path()).model_types(), ["naive"]);
        assert_eq!(fs::read(file).unwrap(), good, "compiled again and replaced");
    }
}

#[test]
fn another_installation_s_cache_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path());
    let [file] = &code_files(folder.path())[..] else { panic!("one file") };
    let theirs = fs::read(file).unwrap();
    fs::remove_file(folder.path().join("key")).unwrap();
    assert_eq!(load(folder.path()).model_types(), ["naive"]);
    assert_ne!(fs::read(file).unwrap(), theirs, "written again under the new key");
}

#[test]
fn the_folder_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    load(&cache);
    assert_eq!(fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(cache.join("key")).unwrap().permissions().mode() & 0o777, 0o600);
}
