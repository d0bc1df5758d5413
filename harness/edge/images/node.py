"""Puts the parts together: every image into one archive, and the archive into the node image.

The node image is made in two steps. First the engine loads an image of the machine without any
images in it. Then this image runs once with containerd, which imports the archive, and the engine
commits the result. If one of the imported images changes, only the second step is repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.edge.images.build import Builder, debian_base
from harness.edge.images.keys import overlay
from harness.edge.images.recipe import BASE, REPOSITORY, ImageRecipe, Recipe
from harness.edge.images.tars.archive import Image, write_archive
from harness.edge.images.tars.layers import write_files
from harness.edge.images.versions import KUBERNETES

NODE = "node"
# Debian's path of the CNI plugins, and the path at which kind and Calico expect them.
CNI_FROM, CNI_TO = "/usr/lib/cni", "/opt/cni/bin"
CNI_PLUGINS = ("bandwidth", "bridge", "host-local", "loopback", "portmap", "ptp", "tuning")
UNITS = ("containerd", "dnsmasq", "kubelet")
# Units that are useless in a container, or that fail in it.
MASKED = (
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "console-getty.service",
    "dev-hugepages.mount",
    "e2scrub_all.timer",
    "fstrim.timer",
    "getty.target",
    "kmod-static-nodes.service",
    "proc-sys-fs-binfmt_misc.automount",
    "serial-getty@.service",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-journald-audit.socket",
    "systemd-logind.service",
    "systemd-modules-load.service",
    "systemd-remount-fs.service",
    "systemd-resolved.service",
    "systemd-udevd.service",
    "systemd-update-utmp-runlevel.service",
    "systemd-update-utmp.service",
    "udev.service",
)


def node_ref(cluster_key: str) -> str:
    """The engine's name for the node image of a build."""
    return f"{REPOSITORY}/{NODE}:{cluster_key}"


@dataclass(frozen=True, slots=True)
class Assembly:
    """Assembles images from parts that are already built."""

    builder: Builder
    recipes: Mapping[str, Recipe]

    def images(self, names: set[str] | None, scratch: Path) -> list[Image]:
        """The images with these names (None: all images for the node); their layers are written."""
        found = []
        for recipe in self.recipes.values():
            for image in recipe.images:
                baked = image.baked and image.name != NODE
                if baked if names is None else image.name in names:
                    found.append(self._image(recipe, image, scratch))
        return found

    def _image(self, recipe: Recipe, image: ImageRecipe, scratch: Path) -> Image:
        layers = self._debian_layers(image.root)
        files = {f"/{path.relative_to(recipe.folder / 'rootfs')}": path for path in overlay(recipe)}
        files |= self.builder.certificates(image)
        links = dict(image.links)
        if image.binaries:
            commands = self._commands_home(recipe, image)
            files |= {goal: commands / name for goal, name in image.binaries.items()}
            files |= _inside({goal: commands / name for goal, name in image.folders.items()})
        if image.name == NODE:
            files |= self._node_files(scratch)
            links = _node_links()
        if files:
            layer = scratch / f"{image.name.replace('/', '-')}.tar"
            write_files(layer, files, links)
            layers.append(layer)
        key = self.builder.keys.images[image.name]
        return Image(
            refs=(image.ref, f"{REPOSITORY}/{image.name}:{key}"),
            layers=tuple(layers),
            config=image.config,
            labels={"policylab.key": key, "policylab.version": recipe.version},
        )

    def _debian_layers(self, root: str | None) -> list[Path]:
        if root is None:
            return []
        names = [BASE] if root == BASE else [BASE, root]
        return [
            self.builder.root(self.recipes[name], debian_base(self.recipes, self.recipes[name]))
            / "layer.tar"
            for name in names
        ]

    def _commands_home(self, recipe: Recipe, image: ImageRecipe) -> Path:
        return self.builder.commands(self.recipes[image.commands or recipe.name])

    def _node_files(self, scratch: Path) -> dict[str, Path]:
        version = scratch / "version"
        version.write_text(f"{self.recipes[KUBERNETES].version}\n", encoding="utf-8")
        return {"/kind/version": version}

    def bake(self, ref: str, archive: Path, scratch: Path) -> None:
        """Make the node image `ref` with the archive's images in its containerd.

        Raises:
            CommandFailed: the engine does not run the image, or containerd does not import the
            archive.
        """
        machine = scratch / "machine.tar"
        [node] = self.images({NODE}, scratch)
        half = f"{ref}-machine"
        write_archive(machine, [Image((half,), node.layers, node.config, node.labels)])
        docker = self.builder.shop.docker
        docker.load(machine)
        container = f"policylab-bake-{ref.rpartition(':')[2]}"
        docker.remove_container(container)
        try:
            docker.move(*_bake_command(container, half, archive))
            docker.move(*_commit_command(container, node, ref))
        finally:
            docker.remove_container(container)
            docker.remove_image(half)


def _inside(folders: Mapping[str, Path]) -> dict[str, Path]:
    """Every file of the folders, by its path in the image."""
    return {
        f"{goal}/{path.relative_to(folder)}": path
        for goal, folder in folders.items()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _bake_command(container: str, half: str, archive: Path) -> list[str]:
    argv = ["run", "--name", container, "--privileged", "--network=none"]
    argv += ["--tmpfs=/tmp", "--tmpfs=/run", f"--volume={archive.parent}:/mnt:ro"]
    return [*argv, "--entrypoint=/usr/local/bin/policylab-bake", half, f"/mnt/{archive.name}"]


def _commit_command(container: str, node: Image, ref: str) -> list[str]:
    words = ", ".join(f'"{word}"' for word in node.config["entrypoint"])
    changes = [f"ENTRYPOINT [{words}]", "CMD []"]
    argv = ["commit", *(word for change in changes for word in ("--change", change))]
    return [*argv, container, ref]


def _node_links() -> dict[str, str]:
    units = "/etc/systemd/system"
    links = {f"{units}/{name}": "/dev/null" for name in MASKED}
    links |= {
        f"{units}/multi-user.target.wants/{name}.service": (
            f"/lib/systemd/system/{name}.service"
            if name == "containerd"
            else f"{units}/{name}.service"
        )
        for name in UNITS
    }
    links[f"{units}/default.target"] = "/lib/systemd/system/multi-user.target"
    return links | {f"{CNI_TO}/{name}": f"{CNI_FROM}/{name}" for name in CNI_PLUGINS}
