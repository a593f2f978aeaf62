from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError, model_validator

from bench.errors import UnknownNameError, UserError
from bench.interfaces import DatasetSpec, MethodSpec
from bench.recipes import (
    Recipe,
    choose_budget,
    fields,
    flatten,
    make_options,
    make_recipe,
    parse_settings,
)


class Toy(Recipe):
    stage: str = "pooled"
    margin: float = Field(0.5, gt=0)
    epochs: int = 10
    mining: Literal["hard", "random"] = "random"
    whiten: bool = False


class Colour(Recipe):
    flip: bool = True
    crop: float = Field(1.0, gt=0, le=1)


class Training(Recipe):
    epochs: int = Field(14, ge=1)
    optimiser: Literal["Adam", "SGD"] = "Adam"
    decay_at: tuple[float, ...] = Field((0.5, 0.75), description="shares of all epochs")
    colour: Colour = Colour(crop=0.8)

    @model_validator(mode="after")
    def decays_before_the_end(self) -> Training:
        if any(at >= 1 for at in self.decay_at):
            raise ValueError("a decay at 1 or later never comes")
        return self


class Nested(Recipe):
    stage: str = "pooled"
    layers: list[int] = Field(default_factory=lambda: [4, 5])
    training: Training = Field(Training(epochs=30), description="of the network")
    second: Training = Training(optimiser="SGD")


def build(*_: Any) -> Any:
    raise AssertionError("a recipe is made before anything is built")


METHOD = MethodSpec(
    "toy", "one line", lambda: Toy, build,
    variants={"default": ("as it stands", {}), "hard": ("hard", {"mining": "hard", "epochs": 3})},
)  # fmt: skip
NESTED = MethodSpec(
    "nest", "one line", lambda: Nested, build,
    variants={"default": ("as it stands", {}),
              "long": ("long", {"training": {"epochs": 60, "colour": {"flip": False}}})},
    budgets={"mini": {"training": {"epochs": 2}, "second": {"epochs": 1}}, "small": {}},
)  # fmt: skip


def nested(settings: dict[str, Any], **choices: Any) -> Nested:
    recipe = make_recipe(NESTED, choices.pop("variant", "default"), settings, **choices)
    assert isinstance(recipe, Nested)
    return recipe


def refusal(settings: dict[str, Any], **choices: Any) -> str:
    with pytest.raises(UserError) as raised:
        nested(settings, **choices)
    message = str(raised.value)
    assert len(message.splitlines()) == 1
    return message


def test_a_variant_is_the_recipe_with_its_overrides() -> None:
    assert make_recipe(METHOD, "default", {}) == Toy()
    assert make_recipe(METHOD, "hard", {}) == Toy(mining="hard", epochs=3)


def test_settings_stand_over_the_variant_and_take_their_types() -> None:
    texts = {"epochs": "7", "margin": "0.25", "whiten": "true"}
    expected = Toy(mining="hard", epochs=7, margin=0.25, whiten=True)
    assert make_recipe(METHOD, "hard", texts) == expected


@pytest.mark.parametrize(
    ("variant", "settings", "message"),
    [
        ("hrad", {}, "unknown variant of toy 'hrad'; did you mean hard?"),
        ("default", {"epoch": "3"}, "unknown recipe field of toy 'epoch'; did you mean epochs?"),
        ("default", {"q": "3"},
         "unknown recipe field of toy 'q'; there are: epochs, margin, mining, stage, whiten"),
    ],
)  # fmt: skip
def test_an_unknown_variant_or_field_gets_the_nearest_name(
    variant: str, settings: dict[str, str], message: str
) -> None:
    with pytest.raises(UnknownNameError) as raised:
        make_recipe(METHOD, variant, settings)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("epochs", "three", "recipe field epochs of toy is 'three': input should be a valid"),
        ("epochs", "1.5", "recipe field epochs of toy is '1.5': input should be a valid integer"),
        ("margin", "-1", "recipe field margin of toy is '-1': input should be greater than 0"),
        ("margin", "inf", "recipe field margin of toy is 'inf': input should be a finite number"),
        ("mining", "soft", "recipe field mining of toy is 'soft': input should be 'hard' or"),
        ("whiten", "a\nb", "recipe field whiten of toy is 'a\\nb': input should be a valid bool"),
    ],
)
def test_a_value_of_another_type_is_refused_in_one_line(
    name: str, value: str, message: str
) -> None:
    with pytest.raises(UserError) as raised:
        make_recipe(METHOD, "default", {name: value})
    assert str(raised.value).startswith(message)
    assert len(str(raised.value).splitlines()) == 1


def test_a_recipe_is_fixed_once_made() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        make_recipe(METHOD, "default", {}).stage = "other"  # type: ignore[attr-defined]


def test_the_defaults_of_a_recipe_inside_are_those_of_the_recipe_around_it() -> None:
    assert nested({}) == Nested()
    assert {name: field.default for name, field in fields(Nested).items()} == {
        "stage": "pooled",
        "layers": [4, 5],
        "training.epochs": 30,
        "training.optimiser": "Adam",
        "training.decay_at": (0.5, 0.75),
        "training.colour.flip": True,
        "training.colour.crop": 0.8,
        "second.epochs": 14,
        "second.optimiser": "SGD",
        "second.decay_at": (0.5, 0.75),
        "second.colour.flip": True,
        "second.colour.crop": 0.8,
    }
    assert fields(Nested)["training.decay_at"].description == "shares of all epochs"


@pytest.mark.parametrize("name", fields(Nested))
def test_a_field_that_is_set_changes_no_other(name: str) -> None:
    others = {"stage": "maps", "layers": "1", "epochs": "3", "optimiser": "SGD", "decay_at": "0.1",
              "flip": "false", "crop": "0.25"}  # fmt: skip
    others |= {"second.optimiser": "Adam"}
    known = fields(Nested)
    before = flatten(Nested().model_dump(), known)
    recipe = nested({name: others.get(name, others[name.rpartition(".")[2]])})
    after = flatten(recipe.model_dump(), known)
    assert [path for path in known if before[path] != after[path]] == [name]


shares = st.floats(0, 1, exclude_max=True)
colours = st.fixed_dictionaries({}, optional={
    "flip": st.booleans(), "crop": st.floats(0, 1, exclude_min=True),
})  # fmt: skip
trainings = st.fixed_dictionaries({}, optional={
    "epochs": st.integers(1, 100), "optimiser": st.sampled_from(["Adam", "SGD"]),
    "decay_at": st.lists(shares, max_size=3), "colour": colours,
})  # fmt: skip
overrides = st.fixed_dictionaries({}, optional={
    "stage": st.text("abc.-_0 ", max_size=6).map(str.strip),
    "layers": st.lists(st.integers(0, 9), max_size=3), "training": trainings, "second": trainings,
})  # fmt: skip


def as_text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def as_settings(values: dict[str, Any], prefix: str = "") -> list[str]:
    """Return nested values as somebody types them after --set."""
    texts = []
    for name, value in values.items():
        if isinstance(value, dict):
            texts += as_settings(value, f"{prefix}{name}.")
        else:
            texts.append(f"{prefix}{name}={as_text(value)}")
    return texts


def as_toml(values: dict[str, Any], table: str = "") -> str:
    """Return nested values as a TOML file says them: plain fields first, then its tables."""
    plain = {name: value for name, value in values.items() if not isinstance(value, dict)}
    lines = [f"{name} = {str(v).lower() if isinstance(v, bool) else repr(v)}"
             for name, v in plain.items()]  # fmt: skip
    for name in values.keys() - plain.keys():
        path = f"{table}{name}"
        lines += [f"[{path}]", as_toml(values[name], f"{path}.")]
    return "\n".join(lines)


def over(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return nested values with changes over them: what `make_recipe` promises, in short."""
    merged = dict(values)
    for name, change in changes.items():
        inside = isinstance(change, dict)
        merged[name] = over(merged.get(name, {}), change) if inside else change
    return merged


@given(values=overrides)
@example(values={"training": {"decay_at": []}, "layers": []})
def test_dotted_settings_make_what_nested_values_make(values: dict[str, Any]) -> None:
    expected = Nested.model_validate(over(Nested().model_dump(), values))
    assert nested(dict(parse_settings(as_settings(values)))) == expected
    assert nested(values) == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sources=st.tuples(overrides, overrides, overrides, overrides))
def test_the_later_of_variant_budget_file_and_settings_wins(
    tmp_path: Path, sources: tuple[dict[str, Any], ...]
) -> None:
    variant, budget, written, typed = sources
    file = tmp_path / "mine.toml"
    file.write_text(as_toml(written))
    method = MethodSpec(
        "nest", "one line", lambda: Nested, build,
        variants={"mine": ("mine", variant)}, budgets={"mini": budget},
    )  # fmt: skip
    values = Nested().model_dump()
    for source in sources:
        values = over(values, source)
    settings = parse_settings(as_settings(typed))
    made = make_recipe(method, "mine", settings, budget="mini", file=file)
    assert made == Nested.model_validate(values)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"training.epoch": "3"},
         "unknown recipe field of nest 'training.epoch'; did you mean training.epochs?"),
        ({"trainig.epochs": "3"},
         "unknown recipe field of nest 'trainig.epochs'; did you mean training.epochs or "
         "second.epochs?"),
        ({"training.colour.crp": "3"},
         "unknown recipe field of nest 'training.colour.crp'; did you mean "
         "training.colour.crop?"),
        ({"trainin": "3"}, "unknown recipe field of nest 'trainin'; did you mean training?"),
        ({"flip": "no"},
         "unknown recipe field of nest 'flip'; there are: second.colour.flip, "
         "training.colour.flip"),
        ({"training": "3"},
         "recipe field training of nest has fields of its own; set those, as in training.epochs"),
        ({"training.colour": "3"},
         "recipe field training.colour of nest has fields of its own; set those, as in "
         "training.colour.flip"),
        ({"stage.epochs": "3"},
         "recipe field stage.epochs of nest: stage is one value and has no fields; set stage "
         "itself"),
        ({"training.decay_at.0": "3"},
         "recipe field training.decay_at.0 of nest: training.decay_at is one value and has no "
         "fields; set training.decay_at itself"),
        ({"training.epochs": "many"},
         "recipe field training.epochs of nest is 'many': input should be a valid integer, unable "
         "to parse string as an integer"),
        ({"second.optimiser": "sgd"},
         "recipe field second.optimiser of nest is 'sgd': input should be 'Adam' or 'SGD'"),
        ({"training.decay_at": "0.5,half"},
         "recipe field training.decay_at of nest is 'half': input should be a valid number, "
         "unable to parse string as a number"),
        ({"second.decay_at": "0.5,1"},
         "recipe field second of nest: a decay at 1 or later never comes"),
    ],
)  # fmt: skip
def test_a_wrong_name_or_value_inside_is_named_by_its_dots(
    settings: dict[str, str], message: str
) -> None:
    assert refusal(settings) == message


def test_parts_of_a_list_have_no_blanks_around_them() -> None:
    class Names(Recipe):
        names: tuple[str, ...] = ()

    spec = DatasetSpec("shoes", "one line", build, "CC0", "draw it", options=lambda: Names)
    assert make_options(spec, {"names": "a b , c"}) == Names(names=("a b", "c"))


def test_options_of_datasets_may_hold_recipes_too() -> None:
    spec = DatasetSpec("shoes", "one line", build, "CC0", "draw it", options=lambda: Nested)
    assert make_options(spec, {"training.epochs": "3"}) == nested({"training.epochs": 3})
    with pytest.raises(UserError) as raised:
        make_options(spec, {"training.epochs": "0"})
    assert str(raised.value) == (
        "option training.epochs of shoes is '0': input should be greater than or equal to 1"
    )


def test_auto_takes_mini_on_drawn_data_where_the_method_has_it() -> None:
    assert choose_budget(NESTED, "auto", "mini") == "mini"
    assert choose_budget(NESTED, "auto", "full") == "full"
    assert choose_budget(METHOD, "auto", "mini") == "full"


def test_a_budget_that_is_asked_for_is_taken_on_any_edition() -> None:
    for edition in ("full", "mini"):
        assert choose_budget(NESTED, "small", edition) == "small"
        assert choose_budget(NESTED, "full", edition) == "full"
        assert choose_budget(METHOD, "full", edition) == "full"


def test_a_budget_that_the_method_does_not_have_gets_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError) as raised:
        choose_budget(NESTED, "smal", "full")
    assert str(raised.value) == "unknown budget of nest 'smal'; did you mean small?"
    with pytest.raises(UnknownNameError) as raised:
        choose_budget(METHOD, "mini", "mini")
    assert str(raised.value) == "unknown budget of toy 'mini'; there are: auto, full"
    assert refusal({}, budget="large").startswith("unknown budget of nest 'large'")


def test_the_full_budget_changes_nothing() -> None:
    assert nested({}, budget="full") == nested({}) == Nested()
    assert nested({}, budget="mini") == nested({"training.epochs": 2, "second.epochs": 1})
    long = nested({}, variant="long", budget="mini")
    assert (long.training.epochs, long.training.colour) == (2, Colour(flip=False, crop=0.8))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"stage = 'a'\nepochs 3\n", ":2: expected '=' after a key in a key/value pair; "),
        (b"\n[training]\nepochs = 3\nepochs = 4\n", ":4: cannot overwrite a value; expected TOML"),
        (b"stage = 'a'\nlayers = [1,", ":2: invalid value; expected TOML, as in stage = 'pooled'"),
        (b"", None),
        (b"\xef\xbb\xbfstage = 'pooled'\r\n", None),
        (b"stage = 'a'\r\nlayers = '\xe9'\n", ":2: bytes that are not UTF-8; expected TOML"),
        (b"[training]\nepochs = 'many'\n",
         ": recipe field training.epochs of nest is 'many': input should be a valid integer"),
        (b"[training]\ndecay_at = '0.5,0.75'\n",
         ": recipe field training.decay_at of nest is '0.5,0.75': input should be a valid tuple"),
        (b"[stage]\nepochs = 1\n", ": recipe field stage of nest: input should be a valid string"),
        (b"training = 1\n", ": recipe field training of nest has fields of its own; set those"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_named_with_the_file(
    tmp_path: Path, content: bytes, message: str | None
) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(content)
    if message is None:
        assert nested({}, file=file) == Nested()
    else:
        assert refusal({}, file=file).startswith(f"{file}{message}")


def test_an_unknown_field_in_a_file_gets_file_and_nearest_name(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[training]\nepoch = 3\n")
    assert refusal({}, file=file) == (
        f"unknown recipe field of nest 'training.epoch'; did you mean training.epochs? (in {file})"
    )
    file.write_text("[trainig]\n")
    assert "'trainig'; did you mean training" in refusal({}, file=file)


def test_only_what_a_file_still_decides_is_blamed_on_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[training]\nepochs = 'many'\n")
    assert refusal({"training.epochs": "few"}, file=file).startswith(
        "recipe field training.epochs of nest is 'few'"
    )
    assert nested({"training.epochs": "3"}, file=file).training.epochs == 3


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for file in (tmp_path, tmp_path / "absent.toml"):
        assert refusal({}, file=file) == (
            f"--recipe {file}: no such file; expected a TOML file of recipe fields"
        )


def test_a_plugin_that_overrides_what_is_not_there_is_told_where() -> None:
    method = MethodSpec(
        "nest", "one line", lambda: Nested, build, budgets={"mini": {"training": {"epoch": 3}}}
    )
    with pytest.raises(UserError, match=r"'training.epoch'.*\(in budget mini\)"):
        make_recipe(method, "default", {}, budget="mini")


def test_settings_are_parsed_at_the_first_equals_sign() -> None:
    assert parse_settings(["stage=blocks.5", " margin = 0.5 ", "query=a=b", "empty="]) == {
        "stage": "blocks.5",
        "margin": "0.5",
        "query": "a=b",
        "empty": "",
    }
    assert parse_settings([]) == {}


@pytest.mark.parametrize("text", ["stage", "=3", "", " = 3"])
def test_a_setting_without_name_or_equals_sign_is_refused(text: str) -> None:
    with pytest.raises(UserError) as raised:
        parse_settings([text])
    assert str(raised.value) == (f"--set {text!r}: expected NAME=VALUE, as in --set stage=blocks.5")


def test_a_field_that_is_set_twice_is_refused() -> None:
    with pytest.raises(UserError, match="--set stage is given twice"):
        parse_settings(["stage=blocks.1", "head=flatten", "stage = blocks.2"])
