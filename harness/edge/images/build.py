"""Builds Go commands, the C command and Debian roots; each of them is an artefact of the store."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.edge.images.keys import Keys
from harness.edge.images.recipe import BASE, SUITE, ImageRecipe, Recipe
from harness.edge.images.store import Store, Workshop
from harness.edge.images.tars.layers import write_difference
from harness.edge.machine import apt
from harness.edge.machine.process import CommandFailed, run
from harness.errors import ImageUnavailable
from harness.progress import Progress

PACKAGES = "usr/share/policylab/packages.txt"
# Files for people, in an image that nobody logs in to.
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*")
ROOT_EPOCH = "1735689600"
NOTE_PACKAGES = (
    'mkdir -p "$1/usr/share/policylab" && dpkg-query --admindir="$1/var/lib/dpkg" '
    "-W -f '${Package}=${Version}\\n' > \"$1/" + PACKAGES + '"'
)
# The installation writes these files differently each time, and no program reads them.
REMOVE_NOISE = (
    'find "$1/var/log" -type f -delete && rm -rf "$1"/var/cache/debconf/*-old '
    '"$1"/var/lib/dpkg/*-old "$1"/var/cache/ldconfig/aux-cache '
    '"$1"/etc/machine-id "$1"/var/lib/dbus/machine-id'
)
# What the compiler writes for a debugger, the linker leaves out (`-s -w`): it need not be written.
NO_DEBUGGER = "-gcflags=all=-dwarf=false"
# By how many percent the memory of the compiler and of the linker grows before they look for what
# they can free. Go's own value is 100; both end soon, and what they make is the same.
COLLECT_AT = "400"


@dataclass(frozen=True, slots=True)
class Builder:
    """Makes the parts of images; `go` is the Go command."""

    shop: Workshop
    keys: Keys
    go: Path

    @property
    def store(self) -> Store:
        """Where the parts are kept."""
        return self.shop.store

    @property
    def logs(self) -> Path:
        """The folder with the output of the compilers."""
        return self.shop.store.root / "logs"

    @property
    def progress(self) -> Progress:
        """The receiver of progress messages."""
        return self.shop.progress

    def commands(self, recipe: Recipe) -> Path:
        """The folder with a recipe's compiled commands; missing commands are compiled.

        Raises:
            ImageUnavailable: they cannot be compiled; the message has the compiler's last words.
        """
        name, key = f"commands-{recipe.name}", self.keys.commands[recipe.name]
        if not self.store.has(name, key):
            with (
                self.progress.step(f"compiling {recipe.name} {recipe.version}"),
                self.store.making(name, key, {"version": recipe.version}) as folder,
            ):
                self._compile(recipe, folder)
        return self.store.path(name, key)

    def _compile(self, recipe: Recipe, folder: Path) -> None:
        log = self.logs / f"{recipe.name}.log"
        if recipe.go is not None:
            flags = ["-trimpath", "-buildvcs=false", "-mod=readonly", NO_DEBUGGER]
            flags += ["-ldflags", recipe.go.ldflags]
            argv: list[str | Path] = [
                self.go,
                "build",
                *flags,
                "-o",
                f"{folder}/",
                *recipe.go.packages,
            ]
            env = {"GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": "", "GOGC": COLLECT_AT}
            env["CGO_ENABLED"] = "1" if recipe.go.cgo else "0"
            self._run_build(recipe, argv, env, log)
            self._copy_folders(recipe, recipe.go.folders, folder, env)
        elif recipe.c_source is not None:
            argv = ["gcc", "-Os", "-static", "-Wall", "-Werror", "-s"]
            argv += ["-o", folder / recipe.name, recipe.c_source]
            self._run_build(recipe, argv, {}, log)

    def _copy_folders(
        self,
        recipe: Recipe,
        folders: Mapping[str, tuple[str, str]],
        target: Path,
        env: dict[str, str],
    ) -> None:
        """Copy the folders of a module that its program reads at run time."""
        for name, (module, inner) in folders.items():
            asked = [str(self.go), "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module]
            home = run(
                asked, timeout=self.shop.patience.compile, cwd=recipe.folder, env=env
            ).stdout.strip()
            # The modes are not copied: a module's folders are read-only, so nobody could remove
            # them.
            shutil.copytree(Path(home) / inner, target / name, copy_function=shutil.copyfile)
            for path in (target / name, *(target / name).rglob("*")):
                path.chmod(0o755 if path.is_dir() else 0o644)

    def _run_build(
        self, recipe: Recipe, argv: list[str | Path], env: dict[str, str], log: Path
    ) -> None:
        try:
            run(argv, timeout=self.shop.patience.compile, cwd=recipe.folder, env=env, log=log)
        except CommandFailed as error:
            raise ImageUnavailable(
                f"{recipe.name} cannot be built",
                where=str(recipe.folder),
                seen=error.seen,
                try_=f"read {log}; run again to continue the build",
            ) from error

    def certificates(self, image: ImageRecipe) -> dict[str, Path]:
        """The certificates in an image: path in the image -> file."""
        found = {}
        for goal, source in image.files.items():
            name, _, file = source.partition("/")
            found[goal] = self.store.path(name, self.keys.certificates[name]) / file
        return found

    def root(self, recipe: Recipe, base: Recipe | None) -> Path:
        """A folder with `layer.tar` and `packages.txt` of a Debian root.

        The base's layer is its whole root. Every other root begins as the base, and its layer is
        the difference to it.

        Raises:
            ImageUnavailable: a package is not available; the message names it.
        """
        name, key = f"root-{recipe.name}", self.keys.roots[recipe.name]
        if not self.store.has(name, key):
            lower = self.root(base, None) / "layer.tar" if base is not None else None
            with (
                self.progress.step(f"making the Debian root of {recipe.name}"),
                self.store.making(name, key, {"suite": SUITE}) as folder,
            ):
                self._bootstrap(recipe, folder, lower)
        return self.store.path(name, key)

    def _bootstrap(self, recipe: Recipe, folder: Path, lower: Path | None) -> None:
        log = self.logs / f"{recipe.name}-root.log"
        full = folder / ("full.tar" if lower is not None else "layer.tar")
        argv = ["mmdebstrap", "--mode=root", "--variant=essential"]
        argv += [f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT]
        argv += ["--aptopt=Apt::Install-Recommends=false"]
        if lower is not None:
            # apt finds the essential packages installed, and installs only the others.
            argv.append(f"--setup-hook=tar-in {shlex.quote(str(lower))} /")
        argv += [f"--customize-hook={NOTE_PACKAGES}", f"--customize-hook={REMOVE_NOISE}"]
        argv += [f"--customize-hook=copy-out /{PACKAGES} {shlex.quote(str(folder))}"]
        if recipe.debian:
            argv.append(f"--include={','.join(recipe.debian)}")
        try:
            run(
                [*argv, SUITE, full, "-"],
                timeout=self.shop.patience.debian_root,
                input=apt.sources_for(SUITE),
                env={"SOURCE_DATE_EPOCH": ROOT_EPOCH},
                log=log,
            )
        except CommandFailed as error:
            raise self._no_root(recipe, error, log) from error
        if lower is not None:
            write_difference(lower, full, folder / "layer.tar")
            full.unlink()

    def _no_root(self, recipe: Recipe, error: CommandFailed, log: Path) -> ImageUnavailable:
        missing = re.findall(r"Unable to locate package (\S+)", error.completed.stdout)
        what = f"the Debian root of {recipe.name} cannot be made"
        if missing:
            what = f"the package {missing[0]}, which {recipe.name} needs, is not available"
        return ImageUnavailable(
            what,
            where=f"suite {SUITE}, {recipe.folder / 'image.toml'}",
            seen=error.seen,
            try_=f"read {log}; is the machine's Debian mirror reachable?",
        )


def debian_base(recipes: Mapping[str, Recipe], recipe: Recipe) -> Recipe | None:
    """The root from which a Debian root stores the difference; None for the base itself."""
    return None if recipe.name == BASE else recipes[BASE]
