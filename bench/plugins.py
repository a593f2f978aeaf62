"""Find plugins, load them one by one, validate what they register, look it up by name.

A plugin that cannot be imported, that implements a hook which does not exist, that returns
something other than specs, or that registers a name already taken is set aside whole: it is named
in one warning, `bench plugins` shows its error, and all others work. Order: the harness's own
parts, the plugins of its own distribution, those of other distributions by name, then the files.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from bench import fingerprints, hookspecs
from bench.errors import UnknownNameError, UserError
from bench.interfaces import (
    BackboneSource,
    BackboneSpec,
    DatasetSpec,
    DetectorSpec,
    HeadSpec,
    LossSpec,
    MethodSpec,
    MetricSpec,
    Stage,
)

if TYPE_CHECKING:
    import torch

DISTRIBUTION = "fashion-retrieval-bench"
KINDS: dict[str, type] = {
    "datasets": DatasetSpec,
    "methods": MethodSpec,
    "backbones": BackboneSpec,
    "heads": HeadSpec,
    "losses": LossSpec,
    "metrics": MetricSpec,
    "detectors": DetectorSpec,
}
SINGULAR = {"datasets": "dataset", "methods": "method", "backbones": "backbone", "heads": "head",
            "losses": "loss", "metrics": "metric", "detectors": "detector"}  # fmt: skip
Spec = TypeVar("Spec")


@dataclass
class Plugin:
    """One plugin: where it comes from, what it registered, or why it did not load."""

    name: str
    origin: str  # distribution and version, or the file
    registered: dict[str, list[str]] = field(default_factory=dict)  # kind → names
    error: str = ""


class PluginError(Exception):
    """Why a plugin was set aside."""


class Registry:
    """Everything that the loaded plugins registered; also the `Parts` that methods build from."""

    def __init__(self) -> None:
        self.plugins: list[Plugin] = []
        self._manager = pluggy.PluginManager("bench")
        self._manager.add_hookspecs(hookspecs)
        self._specs: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
        self._owners: dict[tuple[str, str], tuple[Plugin, ModuleType]] = {}

    @classmethod
    def load(cls, files: Iterable[Path] = ()) -> Registry:
        """Return a registry of the harness's own parts, all installed plugins, and plugin files."""
        registry = cls()
        from bench import builtins

        registry.add(Plugin("builtins", _origin(DISTRIBUTION)), builtins)
        points = sorted(
            metadata.entry_points(group="bench"),
            key=lambda p: (p.dist is None or p.dist.name != DISTRIBUTION, _dist(p), p.name),
        )
        seen: set[tuple[str, str, str]] = set()
        for point in points:
            # an editable install beside a wheel lists the same entry point twice
            if (_dist(point), point.name, point.value) in seen:
                continue
            seen.add((_dist(point), point.name, point.value))
            registry._load_one(Plugin(point.name, _origin(_dist(point))), point.load)
        for file in files:
            if not file.is_file():
                raise UserError(f"--plugin {file}: no such file")
            registry._load_one(Plugin(file.stem, str(file)), lambda file=file: _import_file(file))
        return registry

    def _load_one(self, plugin: Plugin, load: Any) -> None:
        try:
            self._require_new(plugin)  # before its import, which could replace the other's module
            module = load()
            if not isinstance(module, ModuleType):
                raise PluginError(f"its entry point names {module!r}; expected a module")
        except PluginError as error:
            plugin.error = str(error)
        except (Exception, SystemExit) as error:
            reason = " ".join(str(error).split())
            plugin.error = f"cannot be imported: {type(error).__name__}: {reason}"
        if plugin.error:
            self.plugins.append(plugin)
            return
        self.add(plugin, module)

    def add(self, plugin: Plugin, module: Any) -> None:
        """Register one plugin module, or set it aside with its error."""
        try:
            self._require_new(plugin)
            self._manager.register(module, name=plugin.name)
            self._manager.check_pending()
            specs = self._call_hooks(module)
        except Exception as error:
            plugin.error = " ".join(str(error).split()) or type(error).__name__
        self.plugins.append(plugin)
        if plugin.error:
            if self._manager.get_plugin(plugin.name) is module:
                self._manager.unregister(name=plugin.name)
            return
        for kind, spec in specs:
            self._specs[kind][spec.name] = spec
            self._owners[kind, spec.name] = plugin, module
            plugin.registered.setdefault(kind, []).append(spec.name)

    def _require_new(self, plugin: Plugin) -> None:
        for other in self.plugins:
            if other.name == plugin.name and not other.error:
                raise PluginError(f"a plugin of this name is loaded already, from {other.origin}")

    def _call_hooks(self, module: Any) -> list[tuple[str, Any]]:
        specs: list[tuple[str, Any]] = []
        expected: Any
        for kind, expected in KINDS.items():
            hook = getattr(self._manager.hook, f"register_{kind}")
            # pluggy calls all plugins at once; one at a time, so that a failure has one name
            mine = [impl for impl in hook.get_hookimpls() if impl.plugin is module]
            if not mine and hasattr(module, f"register_{kind}"):
                raise PluginError(f"register_{kind} is not marked @bench.hookimpl")
            returned = mine[0].function() if mine else ()
            if not isinstance(returned, Iterable):
                raise PluginError(
                    f"register_{kind} returned {returned!r}; expected a list of {expected.__name__}"
                )
            for spec in returned:
                if not isinstance(spec, expected):
                    raise PluginError(
                        f"register_{kind} returned {spec!r}; expected a {expected.__name__}"
                    )
                taken = self._owners.get((kind, spec.name))
                if taken:
                    raise PluginError(
                        f"registers the {SINGULAR[kind]} {spec.name!r}, which plugin "
                        f"{taken[0].name!r} of {taken[0].origin} has registered already"
                    )
                if (kind, spec.name) in [(k, s.name) for k, s in specs]:
                    raise PluginError(f"registers the {SINGULAR[kind]} {spec.name!r} twice")
                specs.append((kind, spec))
        if not specs:
            raise PluginError(
                "registers nothing; expected functions register_datasets, register_methods … "
                "marked @bench.hookimpl"
            )
        return specs

    @property
    def errors(self) -> list[Plugin]:
        """The plugins that were set aside."""
        return [plugin for plugin in self.plugins if plugin.error]

    def all(self, kind: str) -> Mapping[str, Any]:
        """Return all specs of one kind by name, sorted."""
        return dict(sorted(self._specs[kind].items()))

    def owner(self, kind: str, name: str) -> tuple[Plugin, ModuleType]:
        """Return the plugin and the module that registered a spec."""
        return self._owners[kind, self._key(kind, name)]

    def beside(self, kind: str, name: str, file: str) -> Path:
        """Return where a file is that lies beside the module which registered a part, if it is."""
        return Path(str(self.owner(kind, name)[1].__file__)).with_name(file)

    def code(self, kind: str, names: Iterable[str], *modules: str) -> str:
        """Return the hash of the sources of the plugins that own these parts, and of `modules`.

        A plugin that is a module inside a package counts with the package around it.
        """
        owners = set()
        for name in names:
            module = self.owner(kind, name)[1]
            inside = not hasattr(module, "__path__") and "." in module.__name__
            owners.add(module.__name__.rpartition(".")[0] if inside else module.__name__)
        return fingerprints.of_code(*owners, *modules)

    def dataset(self, name: str) -> DatasetSpec:
        """Return a dataset's spec by name; `NAME:ARGUMENT` finds the family NAME."""
        return self._find("datasets", name, DatasetSpec)

    def method(self, name: str) -> MethodSpec:
        """Return a method's spec by name."""
        return self._find("methods", name, MethodSpec)

    def detector(self, name: str) -> DetectorSpec:
        """Return a detector's spec by name."""
        return self._find("detectors", name, DetectorSpec)

    def metric(self, name: str) -> tuple[MetricSpec, int]:
        """Return a metric's spec and its cut-off (0 for none) by name.

        Names are `mrr`, `hit@20`, and `ndcg@20[attributes]` for `ndcg@k[attributes]`.
        """
        specs: Mapping[str, MetricSpec] = self._specs["metrics"]
        parts = re.fullmatch(r"([^@]+)@([0-9]+)(\[.+\])?", name)
        stem, cut, reading = parts.groups(default="") if parts else (name, "", "")
        if cut.startswith("0"):  # also hit@020, which would be a second name for hit@20
            raise UserError(f"metric {name!r}: a cut-off counts from 1, as in {stem}@20")
        found = specs.get(f"{stem}@k{reading}" if cut else name)
        if found is not None and bool(cut) == ("@k" in found.name):
            return found, int(cut or 0)
        known = [known.replace("@k", f"@{cut or 20}") for known in specs]
        readings = [other for other in known if cut and other.startswith(f"{name}[")]
        if readings:
            raise UserError(
                f"metric {name!r} can be read in several ways; choose {' or '.join(readings)}"
            )
        hint = "a metric says what it counts and where it is cut, as in hit@20 or recall@20"
        raise UnknownNameError("metric", name, known, hint)

    def backbone_source(self, name: str, weights: str, seed: int) -> BackboneSource:
        """Return the facts of a backbone; see `bench.interfaces.Parts`."""
        return self._find("backbones", name, BackboneSpec).resolve(name, weights, seed)

    def backbone(self, source: BackboneSource) -> torch.nn.Module:
        """Return the network of a backbone with its weights."""
        return self._find("backbones", source.name, BackboneSpec).build(source)

    def head(self, name: str, stages: Mapping[str, Stage], **options: Any) -> torch.nn.Module:
        """Return a head for feature maps of these stages."""
        return self._find("heads", name, HeadSpec).build(stages, **options)

    def loss(self, name: str, **options: Any) -> torch.nn.Module:
        """Return a loss."""
        return self._find("losses", name, LossSpec).build(**options)

    def _key(self, kind: str, name: str) -> str:
        """Return the name under which a spec stands: NAME of `NAME:ARGUMENT`, hit@k of hit@20."""
        if name in self._specs[kind]:
            return name
        if kind == "metrics":
            return self.metric(name)[0].name
        stem = name.partition(":")[0]
        return stem if getattr(self._specs[kind].get(stem), "family", False) else name

    def _find(self, kind: str, name: str, expected: type[Spec]) -> Spec:
        spec = self._specs[kind].get(self._key(kind, name))
        if isinstance(spec, expected):
            if getattr(spec, "family", False) and not name.partition(":")[2]:
                raise UserError(f"{SINGULAR[kind]} {name!r} needs an argument: {spec.summary}")  # type: ignore[attr-defined]
            return spec
        broken = ", ".join(plugin.name for plugin in self.errors)
        hint = f"not loaded: {broken}; see `bench plugins`" if broken else ""
        known = [f"{k}:…" if getattr(s, "family", False) else k
                 for k, s in self._specs[kind].items()]  # fmt: skip
        raise UnknownNameError(SINGULAR[kind], name, known, hint)


def warn_about_broken(registry: Registry) -> None:
    """Print one line on stderr for each plugin that was set aside."""
    for plugin in registry.errors:
        print(  # noqa: T201
            f"warning: plugin {plugin.name} ({plugin.origin}) is set aside: {plugin.error}",
            file=sys.stderr,
        )


def _dist(point: metadata.EntryPoint) -> str:
    return point.dist.name if point.dist else ""


def _origin(distribution: str) -> str:
    try:
        return f"{distribution} {metadata.version(distribution)}"
    except metadata.PackageNotFoundError:
        return distribution or "unknown distribution"


def _import_file(file: Path) -> ModuleType:
    name = f"bench_plugin_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise PluginError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pydantic look their module up by name
    spec.loader.exec_module(module)
    return module
