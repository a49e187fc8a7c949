//! Looks at the plugin folder again when something in it changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use notify::{Event, RecursiveMode, Watcher};

use crate::PluginError;

/// How long nothing may have changed before the folder is read: a file that is being copied grows all the time.
const QUIET: Duration = Duration::from_millis(300);

/// A folder of plugins under watch, until it is dropped.
#[derive(Debug)]
pub struct Watch {
    // Dropping it closes the channel, and with that the thread ends.
    _watcher: notify::RecommendedWatcher,
}

/// Length and time of the last change of every component of the folder.
type Looks = BTreeMap<PathBuf, (u64, Option<SystemTime>)>;

impl Watch {
    /// Calls `changed` on a thread of its own whenever the components of the folder have changed and are at rest again.
    /// The folder is made when it does not exist.
    pub fn start(folder: &Path, changed: impl Fn() + Send + 'static) -> Result<Self, PluginError> {
        let fail = |reason: String| PluginError::Host {
            context: format!("cannot watch the plugin folder {}", folder.display()),
            reason,
        };
        std::fs::create_dir_all(folder).map_err(|e| fail(e.to_string()))?;
        let (sender, events) = mpsc::channel();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // Reading a file is an event too, and a reload reads them all.
            if !matches!(&event, Ok(event) if event.kind.is_access()) {
                // Without a receiver the program is ending.
                let _ = sender.send(());
            }
        })
        .map_err(|e| fail(e.to_string()))?;
        watcher.watch(folder, RecursiveMode::NonRecursive).map_err(|e| fail(e.to_string()))?;
        let seen = looks(folder);
        let folder = folder.to_owned();
        std::thread::Builder::new()
            .name("plugin-watch".to_owned())
            .spawn(move || follow(&folder, seen, &events, changed))
            .map_err(|e| fail(e.to_string()))?;
        Ok(Self { _watcher: watcher })
    }
}

fn follow(folder: &Path, mut seen: Looks, events: &Receiver<()>, changed: impl Fn()) {
    while events.recv().is_ok() {
        let mut now = looks(folder);
        loop {
            match events.recv_timeout(QUIET) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => {
                    let later = looks(folder);
                    if later == now {
                        break;
                    }
                    now = later;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        if now != seen {
            seen = now;
            changed();
        }
    }
}

fn looks(folder: &Path) -> Looks {
    // A folder or a file that is gone has no looks; its return is a change.
    let files = super::list_components(folder).unwrap_or_default();
    let look = |path: PathBuf| {
        let metadata = path.metadata().ok()?;
        Some((path, (metadata.len(), metadata.modified().ok())))
    };
    files.into_iter().filter_map(look).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_that_grows_is_left_alone_until_it_is_whole() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("plugins");
        let (sender, calls) = mpsc::channel();
        let seen = folder.join("slow.wasm");
        let length = move || seen.metadata().map_or(0, |metadata| metadata.len());
        let watch = Watch::start(&folder, move || sender.send(length()).unwrap()).unwrap();
        let mut file = std::fs::File::create(folder.join("slow.wasm")).unwrap();
        for _ in 0..10 {
            file.write_all(&[0; 100]).unwrap();
            std::thread::sleep(QUIET / 6);
        }
        // A pause longer than QUIET may have been seen on a busy machine; in the end it is whole.
        let mut last = calls.recv_timeout(Duration::from_secs(20)).unwrap();
        while last < 1_000 {
            last = calls.recv_timeout(Duration::from_secs(20)).unwrap();
        }
        assert_eq!(last, 1_000);
        // Other files and reading are no changes.
        std::fs::write(folder.join("notes.txt"), "x").unwrap();
        std::fs::read(folder.join("slow.wasm")).unwrap();
        assert!(calls.recv_timeout(QUIET * 4).is_err());
        drop(watch);
        assert_eq!(calls.recv_timeout(Duration::from_secs(20)), Err(RecvTimeoutError::Disconnected));
    }
}
