//! How files reach the disk: all or nothing. They are written into a folder beside the target, which then takes the
//! target's place in one step; whoever looks sees the old results or the new ones.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::manifest;
use crate::report::File;

/// Why nothing was written.
#[derive(Debug)]
pub enum FolderError {
    /// The target holds something that is not ours.
    NotOurs(PathBuf),
    /// The target is the folder that the command works in, or one around it.
    InUse(PathBuf),
    /// The target has no name of its own, such as `new/..`.
    NoName(PathBuf),
    /// The disk said no.
    Io(PathBuf, io::Error),
}

/// Whether `target` could be written now; asked before a long run, so that its results have somewhere to go. Leaves
/// nothing behind.
pub fn check_folder(target: &Path) -> Result<(), FolderError> {
    let (target, _) = resolve(target)?;
    // The nearest folder around it that exists is where the first new entry will be made.
    let around = |path: &&Path| path.as_os_str().is_empty() || path.exists();
    let around = target.ancestors().skip(1).find(around).unwrap_or(Path::new(""));
    let probe = beside(&around.join("probe"));
    fs::create_dir(&probe).and_then(|()| fs::remove_dir(&probe)).map_err(at(&target))
}

/// Replaces the folder `target` by one that holds `files`. Only an empty folder or one with our manifest is replaced.
pub fn write_folder(target: &Path, files: &[File]) -> Result<(), FolderError> {
    let (target, exists) = resolve(target)?;
    if let Some(parent) = target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(at(parent))?;
    }
    let beside = beside(&target);
    let written = fill(&beside, files).map_err(at(&beside)).and_then(|()| {
        if exists { exchange(&beside, &target) } else { fs::rename(&beside, &target) }.map_err(at(&target))
    });
    // Either what could not be finished, or the old results.
    if beside.exists() {
        let removed = fs::remove_dir_all(&beside).map_err(at(&beside));
        return written.and(removed);
    }
    written
}

/// The folder meant, without links or dots if it exists, and whether it does. Fails if it must not be replaced.
fn resolve(target: &Path) -> Result<(PathBuf, bool), FolderError> {
    if !target.exists() {
        let named = target.file_name().is_some();
        return if named {
            Ok((target.to_owned(), false))
        } else {
            Err(FolderError::NoName(target.to_owned()))
        };
    }
    let resolved = fs::canonicalize(target).map_err(at(target))?;
    if std::env::current_dir().is_ok_and(|here| here.starts_with(&resolved)) {
        return Err(FolderError::InUse(target.to_owned()));
    }
    match is_replaceable(&resolved) {
        Ok(true) => Ok((resolved, true)),
        Ok(false) => Err(FolderError::NotOurs(target.to_owned())),
        Err(error) => Err(FolderError::Io(target.to_owned(), error)),
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> FolderError + use<> {
    let path = path.to_owned();
    move |error| FolderError::Io(path, error)
}

/// A hidden name in the same folder, of this process alone.
fn beside(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    target.with_file_name(format!(".{name}.new-{}", std::process::id()))
}

fn is_replaceable(folder: &Path) -> io::Result<bool> {
    Ok(folder.join(manifest::NAME).is_file() || fs::read_dir(folder)?.next().is_none())
}

fn fill(folder: &Path, files: &[File]) -> io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?; // left by a process of the same number that died
    }
    fs::create_dir(folder)?;
    files.iter().try_for_each(|file| fs::write(folder.join(&file.name), &file.content))
}

#[cfg(target_os = "linux")]
fn exchange(new: &Path, old: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        // Some file systems cannot exchange; two steps are the next best.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => swap(new, old),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn exchange(new: &Path, old: &Path) -> io::Result<()> {
    swap(new, old)
}

fn swap(new: &Path, old: &Path) -> io::Result<()> {
    let aside = new.with_extension("old");
    fs::rename(old, &aside)?;
    fs::rename(new, old)?;
    fs::rename(&aside, new)
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FolderError::NotOurs(path) => write!(
                f,
                "{} is not empty and has no {}: it is not replaced; name another folder with --out",
                path.display(),
                manifest::NAME
            ),
            FolderError::InUse(path) => write!(
                f,
                "{} is the folder you are in, or one around it: it is not replaced; name another folder with --out",
                path.display()
            ),
            FolderError::NoName(path) => {
                write!(f, "{} names no folder that could be made; name one with --out", path.display())
            }
            FolderError::Io(path, error) => {
                write!(f, "cannot write {}: {error}; name another folder with --out", path.display())
            }
        }
    }
}

impl std::error::Error for FolderError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, content: &str) -> File {
        File { name: name.to_owned(), content: content.as_bytes().to_vec() }
    }

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("replisim-folder-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn our_results_are_replaced_whole_and_other_folders_are_left_alone() {
        let root = scratch("replace");
        let target = root.join("results").join("x");
        write_folder(&target, &[file("a.csv", "1"), file(manifest::NAME, "{}")]).unwrap();
        write_folder(&target, &[file("b.csv", "2"), file(manifest::NAME, "{}")]).unwrap();
        assert!(!target.join("a.csv").exists());
        assert_eq!(fs::read_to_string(target.join("b.csv")).unwrap(), "2");
        assert_eq!(fs::read_dir(root.join("results")).unwrap().count(), 1, "nothing is left beside");

        let foreign = root.join("thesis");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join("chapter1.txt"), "…").unwrap();
        assert!(matches!(write_folder(&foreign, &[file("a", "")]), Err(FolderError::NotOurs(_))));
        assert!(foreign.join("chapter1.txt").exists());
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_check_foresees_what_writing_would_say_and_leaves_nothing_behind() {
        let root = scratch("check");
        write_folder(&root.join("ours"), &[file(manifest::NAME, "{}")]).unwrap();
        fs::create_dir_all(root.join("empty")).unwrap();
        fs::create_dir_all(root.join("foreign")).unwrap();
        fs::write(root.join("foreign/thesis.txt"), "…").unwrap();
        let here = std::env::current_dir().unwrap();
        for (target, says) in [
            (root.join("ours"), None),
            (root.join("empty"), None),
            (root.join("ours/../new"), None),
            (root.join("new/below/new"), None),
            (PathBuf::from("new-name-without-a-folder"), None),
            (root.join("foreign"), Some("is not empty")),
            (root.join("foreign/thesis.txt"), Some("cannot write")),
            (root.join("foreign/thesis.txt/below"), Some("cannot write")),
            (root.join("new/.."), Some("names no folder")),
            (PathBuf::from("."), Some("is the folder you are in")),
            (PathBuf::from(".."), Some("is the folder you are in")),
            (here.clone(), Some("is the folder you are in")),
        ] {
            let found = check_folder(&target).err().map(|error| error.to_string());
            let right = match (&found, says) {
                (None, None) => true,
                (Some(found), Some(says)) => found.contains(says),
                _ => false,
            };
            assert!(right, "{}: {found:?}, not {says:?}", target.display());
        }
        assert_eq!(fs::read_dir(&root).unwrap().count(), 3);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn what_cannot_be_written_leaves_the_old_results_and_nothing_beside() {
        let root = scratch("half");
        let target = root.join("x");
        write_folder(&target, &[file(manifest::NAME, "old")]).unwrap();
        let impossible = file("no/such/folder.csv", "");
        assert!(matches!(write_folder(&target, &[file("a", "1"), impossible]), Err(FolderError::Io(..))));
        assert_eq!(fs::read_to_string(target.join(manifest::NAME)).unwrap(), "old");
        assert_eq!(fs::read_dir(&root).unwrap().count(), 1);
        fs::remove_dir_all(root).unwrap();
    }
}
