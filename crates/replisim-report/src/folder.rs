//! How files reach the disk: all or nothing. They are written into a folder beside the target, which then takes the
//! target's place in one step; whoever looks sees the old results or the new ones.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::manifest;
use crate::report::File;

/// Why nothing was written.
#[derive(Debug)]
pub enum FolderError {
    /// The target holds something that is not ours.
    NotOurs(PathBuf),
    /// The disk said no.
    Io(PathBuf, std::io::Error),
}

/// Replaces the folder `target` by one that holds `files`. Only an empty folder or one with our manifest is replaced.
pub fn write_folder(target: &Path, files: &[File]) -> Result<(), FolderError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| FolderError::Io(path, error)
    };
    let exists = target.exists();
    if exists && !is_replaceable(target).map_err(at(target))? {
        return Err(FolderError::NotOurs(target.to_owned()));
    }
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(at(parent))?;
    let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = parent.join(format!(".{name}.new-{}", std::process::id()));
    let written = fill(&beside, files).map_err(at(&beside)).and_then(|()| {
        if exists { exchange(&beside, target) } else { fs::rename(&beside, target) }.map_err(at(target))
    });
    // Either what could not be finished, or the old results.
    if beside.exists() {
        let removed = fs::remove_dir_all(&beside).map_err(at(&beside));
        return written.and(removed);
    }
    written
}

fn is_replaceable(folder: &Path) -> std::io::Result<bool> {
    Ok(folder.join(manifest::NAME).is_file() || fs::read_dir(folder)?.next().is_none())
}

fn fill(folder: &Path, files: &[File]) -> std::io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?; // left by a process of the same number that died
    }
    fs::create_dir(folder)?;
    files.iter().try_for_each(|file| fs::write(folder.join(&file.name), &file.content))
}

#[cfg(target_os = "linux")]
fn exchange(new: &Path, old: &Path) -> std::io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        // Some file systems cannot exchange; two steps are the next best.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => swap(new, old),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn exchange(new: &Path, old: &Path) -> std::io::Result<()> {
    swap(new, old)
}

fn swap(new: &Path, old: &Path) -> std::io::Result<()> {
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
            FolderError::Io(path, error) => write!(f, "cannot write {}: {error}", path.display()),
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
