"""The configuration: where values come from, what they may be, and how they are refused."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from flight_server.config import Backend, Config, ConfigError, LogLevel, Signature, load_config
from flight_server.config.objects import region_of
from flight_server.storage.oss.settings import OssSettings

ORIGINAL = """\
server:
  port: 9090
  status_port: 9091
  max_connections: 100
  timeout: 30s
concurrency:
  max_concurrent_tasks: 10
  task_queue_size: 100
  queue_timeout: 5m
performance:
  buffer_size: 10485760
  max_batch_size: 1000
  write_timeout: 30s
storage:
  temp_directory: /tmp/export-middleware
  temp_retention: 1h
  cleanup_enabled: true
oss:
  endpoint: ""
  bucket: ""
  access_key_id: ""
  access_key_secret: ""
  part_size: 10485760
  signed_url_expiry: 168h
  max_retries: 3
  parallel_parts: 5
  upload_timeout: 30m
security:
  auth_enabled: false
  tls_enabled: false
  allowed_clients: []
logging:
  level: info
  format: json
  output: stdout
  enable_tracing: false
monitoring:
  metrics_port: 8080
  health_check_interval: 30s
"""

OSS_COMPLETE = {
    "OSS_ENDPOINT": "oss-cn-hangzhou.aliyuncs.com",
    "OSS_BUCKET": "exports",
    "OSS_ACCESS_KEY_ID": "LTAI5t",
    "OSS_ACCESS_KEY_SECRET": "hunter2",
}


class Loader:
    """Loads a configuration from texts."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "config.yaml"

    def __call__(self, text: str | bytes | None = None, *overrides: str, **environ: str) -> Config:
        if text is None:
            return load_config(None, environ=environ, overrides=overrides)
        self.path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_config(self.path, environ=environ, overrides=overrides)

    def problems(
        self, text: str | bytes | None = None, *overrides: str, **environ: str
    ) -> list[str]:
        """What is wrong, with the path of the file shortened to its name."""
        with pytest.raises(ConfigError) as refused:
            self(text, *overrides, **environ)
        assert str(refused.value).splitlines() == list(refused.value.problems)
        return [
            problem.replace(str(self.path), "config.yaml") for problem in refused.value.problems
        ]


@pytest.fixture
def load(tmp_path: Path) -> Loader:
    return Loader(tmp_path)


class TestTheOriginalsFile:
    def test_loads_unchanged_and_means_what_it_meant(self, load: Loader) -> None:
        assert load(ORIGINAL) == Config()

    def test_keeps_its_own_values(self, load: Loader) -> None:
        config = load(
            ORIGINAL.replace("queue_timeout: 5m", "queue_timeout: 1h30m")
            .replace("part_size: 10485760", "part_size: 5242880")
            .replace("level: info", "level: WARN")
        )
        assert config.concurrency.queue_timeout == timedelta(minutes=90)
        assert config.oss.part_size == 5_242_880
        assert config.logging.level is LogLevel.WARNING

    def test_means_oss_when_its_oss_section_is_complete(self, load: Loader) -> None:
        text = ORIGINAL
        for name, value in OSS_COMPLETE.items():
            key = name.removeprefix("OSS_").lower()
            text = text.replace(f'{key}: ""', f"{key}: {value}")
        assert load(text).storage.backend is Backend.OSS

    def test_can_say_where_files_go_instead(self, load: Loader) -> None:
        config = load(ORIGINAL, "storage.backend=local", **OSS_COMPLETE)
        assert config.storage.backend is Backend.LOCAL
        assert config.oss.access_key_secret.get_secret_value() == "hunter2"

    @pytest.mark.parametrize("missing", OSS_COMPLETE)
    def test_means_local_when_any_of_the_four_is_missing(self, load: Loader, missing: str) -> None:
        environ = {**OSS_COMPLETE, missing: ""}
        assert load(ORIGINAL, **environ).storage.backend is Backend.LOCAL


class TestPrecedence:
    def test_each_source_wins_over_those_below_it(self, load: Loader) -> None:
        file = "logging: {level: error}"
        original = {"LOG_LEVEL": "warning"}
        full = {**original, "EXPORT_LOGGING__LEVEL": "debug"}
        assert load().logging.level == "info"
        assert load(file).logging.level == "error"
        assert load(file, **original).logging.level == "warning"
        assert load(file, **full).logging.level == "debug"
        assert load(file, "logging.level=info", **full).logging.level == "info"

    def test_the_last_of_several_overrides_wins(self, load: Loader) -> None:
        config = load(None, "server.flight_port=1", "server.flight_port=2")
        assert config.server.flight_port == 2

    def test_a_nested_key_has_two_underscores_for_each_dot(self, load: Loader) -> None:
        config = load(None, EXPORT_STORAGE__LOCAL__RETENTION="30d")
        assert config.storage.local.retention == timedelta(days=30)

    def test_every_name_of_the_originals_environment_is_kept(self, load: Loader) -> None:
        config = load(None, "storage.backend=memory", LOG_LEVEL="debug", **OSS_COMPLETE)
        assert config.oss.endpoint == "oss-cn-hangzhou.aliyuncs.com"
        assert config.oss.bucket == "exports"
        assert config.oss.access_key_id == "LTAI5t"
        assert config.oss.access_key_secret.get_secret_value() == "hunter2"
        assert config.logging.level == "debug"

    def test_an_empty_name_of_the_original_is_not_set_but_an_empty_full_name_is(
        self, load: Loader
    ) -> None:
        file = "oss: {bucket: exports}"
        assert load(file, OSS_BUCKET="").oss.bucket == "exports"
        assert load(file, EXPORT_OSS__BUCKET="").oss.bucket == ""

    def test_a_wrong_value_that_is_overridden_harms_nobody(self, load: Loader) -> None:
        config = load("server: {flight_port: wrong}", EXPORT_SERVER__FLIGHT_PORT="8000")
        assert config.server.flight_port == 8000

    def test_variables_of_others_are_left_alone(self, load: Loader) -> None:
        """Kubernetes makes these for a service called `export`."""
        config = load(None, EXPORT_PORT="tcp://10.0.0.1:8815", EXPORT_SERVICE_HOST="10.0.0.1", A="")
        assert config == Config()

    def test_an_override_may_contain_equals_signs_and_be_empty(self, load: Loader) -> None:
        config = load(None, "oss.access_key_secret=a=b=", "oss.prefix=")
        assert config.oss.access_key_secret.get_secret_value() == "a=b="
        assert config.oss.prefix == ""


class TestTheFile:
    @pytest.mark.parametrize("text", ["", "# nothing\n", "server:\n", "server:\n  port:\n", "---"])
    def test_what_is_left_empty_keeps_its_default(self, load: Loader, text: str) -> None:
        assert load(text) == Config()

    def test_may_begin_with_a_byte_order_mark(self, load: Loader) -> None:
        assert load(b"\xef\xbb\xbfserver: {flight_port: 1}").server.flight_port == 1

    def test_may_merge_mappings(self, load: Loader) -> None:
        """A key that overrides a merged one is not given twice."""
        server = load("server:\n  <<: {timeout: 9s, port: 1}\n  port: 2\n").server
        assert server.timeout == timedelta(seconds=9)
        assert server.port == 2

    def test_that_is_missing_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"^file .*nowhere\.yaml: does not exist$"):
            load_config(tmp_path / "nowhere.yaml", environ={})

    def test_that_is_a_directory_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"cannot be read: Is a directory$"):
            load_config(tmp_path, environ={})

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("- a\n- b\n", "holds no mapping of sections to keys"),
            ("just text", "holds no mapping of sections to keys"),
            (b"server: \xff", "is not UTF-8: byte 9 cannot be decoded"),
            ("a: b: c\n", "line 1, column 5: mapping values are not allowed here"),
            (
                "server:\n\tport: 1\n",
                "line 2, column 1: found character '\\t' that cannot start any token",
            ),
            ("a: 1\n--- \nb: 2\n", "line 2, column 1: but found another document"),
            ("a: \x07", "character 4 is not allowed in YAML: U+0007"),
            (
                "a: !!python/object/apply:os.getcwd []",
                "line 1, column 4: could not determine a constructor for the tag",
            ),
            ("a: 2024-13-45", "is not valid YAML"),
            ("&a a: *b", "line 1, column 7: found undefined alias"),
            ("[" * 1000, "is nested too deeply"),
        ],
    )
    def test_that_is_of_no_use_is_refused_with_the_place(
        self, load: Loader, text: str | bytes, problem: str
    ) -> None:
        assert load.problems(text) == [f"file config.yaml: {problem}"]

    def test_must_not_give_a_key_twice(self, load: Loader) -> None:
        text = "server:\n  port: 1\n  port: 2\nlogging: {level: info}\nserver: {}\n"
        assert load.problems(text) == [
            "file config.yaml: server.port is given twice, on lines 2 and 3",
            "file config.yaml: server is given twice, on lines 1 and 5",
        ]

    @pytest.mark.parametrize("secret", ["!hunter2", "*hunter2", "'hunter2", "&hunter2 x: y"])
    def test_that_is_broken_by_a_secret_does_not_show_it(self, load: Loader, secret: str) -> None:
        (problem,) = load.problems(f"oss:\n  access_key_secret: {secret}\n")
        assert "hunter2" not in problem

    def test_that_is_of_no_use_hides_no_other_problem(self, load: Loader) -> None:
        assert len(load.problems("a: b: c", "x.y=1", EXPORT_SERVER__PORT="x")) == 3

    def test_that_is_of_no_use_makes_no_rule_fail_for_what_it_may_have_said(
        self, load: Loader
    ) -> None:
        assert len(load.problems("security: {allow_anonymous: true}}", "server.host=0.0.0.0")) == 1


class TestUnknownKeys:
    @pytest.mark.parametrize(
        ("override", "closest"),
        [
            ("server.flight_prot", "server.flight_port"),
            ("storage.local.retension", "storage.local.retention"),
            ("flight_port", "server.flight_port"),
            ("monitoring.status_port", "server.status_port"),
            ("Server.Host", "server.host"),
            ("storage.local.retention.days", "storage.local.retention"),
        ],
    )
    def test_name_the_closest_known(self, load: Loader, override: str, closest: str) -> None:
        assert load.problems(None, f"{override}=1") == [
            f"{override}: unknown key (--set); closest known: {closest}"
        ]

    def test_of_a_whole_section_are_reported_once(self, load: Loader) -> None:
        assert load.problems("storge: {backend: local, temp_retention: 1h}") == [
            "storge: unknown key (file config.yaml); closest known: storage"
        ]

    def test_of_the_environment_are_errors_too(self, load: Loader) -> None:
        assert load.problems(None, EXPORT_SERVER__HOSTS="x") == [
            (
                "server.hosts: unknown key (environment EXPORT_SERVER__HOSTS); "
                "closest known: server.host"
            )
        ]

    def test_that_are_no_text_are_shown_as_they_are(self, load: Loader) -> None:
        assert load.problems("1: 2")[0].startswith("1: unknown key (file config.yaml)")

    def test_stay_on_one_line(self, load: Loader) -> None:
        (problem,) = load.problems('"a\\nb": 1')
        assert problem.startswith(r"'a\nb': unknown key")

    def test_do_not_show_their_value(self, load: Loader) -> None:
        (problem,) = load.problems("oss: {access_key_secrt: hunter2}")
        assert "hunter2" not in problem

    @pytest.mark.parametrize("value", ["5", "[1]"])
    def test_a_section_is_no_key(self, load: Loader, value: str) -> None:
        assert load.problems(f"storage: {{local: {value}}}") == [
            "storage.local: is a section (file config.yaml); set its keys one by one"
        ]

    def test_an_override_without_an_equals_sign_is_not_repeated(self, load: Loader) -> None:
        assert load.problems(None, "server.port=1", "oss.access_key_secret:hunter2") == [
            "--set number 2 has no =; write --set section.key=value"
        ]


class TestWrongValues:
    def test_name_key_value_origin_and_what_is_allowed(self, load: Loader) -> None:
        assert load.problems(
            "logging: {level: loud}",
            "storage.backend=floppy",
            EXPORT_SERVER__FLIGHT_PORT="70000",
        ) == [
            (
                "server.flight_port: '70000' (environment EXPORT_SERVER__FLIGHT_PORT) is not "
                "allowed; allowed: a whole number from 0 to 65535"
            ),
            (
                "storage.backend: 'floppy' (--set) is not available; "
                "available: local, oss, s3, gcs, azure, memory"
            ),
            (
                "logging.level: 'loud' (file config.yaml) is not allowed; "
                "allowed: debug, info, warning, error"
            ),
        ]

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("server.port", "true"),
            ("server.port", "1.5"),
            ("server.port", "-1"),
            ("server.port", "65536"),
            ("server.port", "[1]"),
            ("server.port", "{a: 1}"),
            ("server.port", "'１'"),
            ("server.port", "'1" + "0" * 40 + "'"),
            ("server.timeout", "30"),
            ("server.timeout", "30 s"),
            ("server.timeout", "0s"),
            ("server.timeout", "-5s"),
            ("server.timeout", "5x"),
            ("server.timeout", "''"),
            ("server.timeout", "0.0001s"),
            ("server.timeout", "99999999999d"),
            ("server.timeout", "31d"),
            ("oss.signed_url_expiry", "168h1ms"),
            ("performance.memory_budget", "1MB"),
            ("performance.memory_budget", "10 bananas"),
            ("performance.memory_budget", "true"),
            ("performance.memory_budget", "1.5 GiB"),
            ("performance.threads", "0"),
            ("performance.threads", "many"),
            ("storage.cleanup_enabled", "maybe"),
            ("storage.cleanup_enabled", "2"),
            ("storage.cleanup_enabled", "1.0"),
            ("storage.temp_directory", "''"),
            ("storage.temp_directory", "5"),
            ("storage.local.public_url", "ftp://example.com"),
            ("storage.local.public_url", "'https://example.com/?a=b'"),
            ("storage.local.public_url", "https://user:word@example.com"),
            ("storage.local.public_url", "https://example.com:99999"),
            ("storage.local.public_url", "https://example.com:0"),
            ("server.host", "''"),
            ("server.host", "127.0.0.300"),
            ("server.host", "a b"),
            ("server.host", "http://localhost"),
            ("server.host", "localhost:80"),
            ("oss.bucket", "0123"),
            ("oss.bucket", '"a\\nb"'),
            ("oss.access_key_secret", "12345678"),
            ("oss.signature", "v5"),
            ("logging.level", "off"),
            ("logging.format", "xml"),
            ("logging.output", "''"),
            ("security.allowed_clients", "5"),
            ("security.mask_key", "too-short"),
            ("security.mask_key", "12345678901234567890"),
            ("security.allowed_clients", "[1, 2]"),
            ("state.url", "mysql://host/name"),
            ("state.url", "data/state.db"),
            ("state.url", "5"),
        ],
    )
    def test_are_refused_by_the_file(self, load: Loader, key: str, value: str) -> None:
        *sections, name = key.split(".")
        text = "".join(f"{section}: {{" for section in sections)
        (problem,) = load.problems(f"{text}{name}: {value}{'}' * len(sections)}")
        assert problem.startswith(f"{key}: ")
        assert "(file config.yaml) is not allowed; allowed: " in problem
        assert len(problem) < 400

    def test_are_shown_as_yaml_says_them(self, load: Loader) -> None:
        assert load.problems("logging: {level: off}")[0].startswith("logging.level: false (file")

    @pytest.mark.parametrize(
        "url", ["mysql://me:hunter2@host/x", "me:hunter2@host/x", "mysql://h/x?password=hunter2"]
    )
    def test_do_not_show_a_password(self, load: Loader, url: str) -> None:
        (problem,) = load.problems(None, EXPORT_STATE__URL=url)
        assert "hunter2" not in problem
        assert "**********" in problem

    @pytest.mark.parametrize("key", ["access_key_secret", "security_token"])
    def test_do_not_show_a_secret(self, load: Loader, key: str) -> None:
        (problem,) = load.problems(f"oss: {{{key}: 12345678}}")
        assert problem.startswith(f"oss.{key}: '**********' (file config.yaml) is not allowed")

    def test_do_not_show_a_key_that_is_too_short(self, load: Loader) -> None:
        (problem,) = load.problems(None, EXPORT_SECURITY__MASK_KEY="hunter2")
        assert "hunter2" not in problem
        assert problem.endswith("empty or of at least 16 characters")

    def test_are_reported_with_every_other_problem_at_once(self, load: Loader) -> None:
        """Rules are checked too, unless a wrong value has a say in them."""
        problems = load.problems(
            "serve: {}\nserver: {host: 0.0.0.0, port: x}\nsecurity: {tls_enabled: true}",
            "broken",
            EXPORT_SERVER__STATUS_PORT="8815",
        )
        assert [problem.partition(":")[0] for problem in problems] == [
            "--set number 1 has no =; write --set section.key=value",
            "serve",
            "server.port",
            "security.tls_enabled",
            "server.host",
            "server.status_port",
        ]

    def test_accuse_no_other_key(self, load: Loader) -> None:
        problems = load.problems(None, "server.host=0.0.0.0", "security.allow_anonymous=ja")
        assert [problem.partition(":")[0] for problem in problems] == ["security.allow_anonymous"]


class TestDefaultsOfCsv:
    def test_are_a_mapping_in_the_file_and_json_elsewhere(self, load: Loader) -> None:
        file = "csv: {defaults: {header: false}}"
        assert load(file).csv.defaults == {"header": False}
        text = '{"null": "空"}'
        assert load(file, EXPORT_CSV__DEFAULTS=text).csv.defaults == {"null": "空"}
        assert load(file, f"csv.defaults={text}").csv.defaults == {"null": "空"}

    def test_are_written_as_yaml_that_means_the_same(self, load: Loader) -> None:
        config = load("csv: {defaults: {formula_guard: prefix}}")
        assert load(config.to_yaml()) == config

    @pytest.mark.parametrize("text", ["", "prefix", "[]", "5", '{"null": "a", "null": "b"}'])
    def test_that_are_no_mapping_are_refused(self, load: Loader, text: str) -> None:
        [problem] = load.problems(None, f"csv.defaults={text}")
        assert problem.startswith("csv.defaults: '")
        assert problem.endswith(
            "(--set) is not allowed; allowed: a mapping of options of csv (in the environment as "
            "JSON)"
        )

    @pytest.mark.parametrize("option", ["compression: gzip", "rows_per_file: 10"])
    def test_have_nothing_that_a_filename_tells(self, load: Loader, option: str) -> None:
        [problem] = load.problems(f"csv: {{defaults: {{{option}}}}}")
        assert "it belongs to one export" in problem

    def test_are_refused_by_the_place_of_what_is_wrong_all_at_once(self, load: Loader) -> None:
        text = "csv: {defaults: {formula_guards: prefix, encoding: gb18031}}"
        assert load.problems(text) == [
            (
                "csv.defaults.formula_guards: 'prefix' (file config.yaml) is not allowed; csv has "
                "no such option; did you mean 'formula_guard'?"
            ),
            (
                "csv.defaults.encoding: 'gb18031' (file config.yaml) is not allowed; there is no "
                "encoding of that name; did you mean 'gb18030'?"
            ),
        ]


class TestStyles:
    HOUSE = "xlsx: {styles: {house: {title: T, header_style: {color: '#FF0000'}}}}"

    def test_are_mappings_in_the_file(self, load: Loader) -> None:
        assert load(self.HOUSE).xlsx.styles == {
            "house": {"title": "T", "header_style": {"color": "#FF0000"}}
        }

    def test_are_json_elsewhere_and_replace_those_of_the_file(self, load: Loader) -> None:
        text = '{"a-1_b": {"title": "题"}, "plain": {}}'
        meant = {"a-1_b": {"title": "题"}, "plain": {}}
        assert load(self.HOUSE, EXPORT_XLSX__STYLES=text).xlsx.styles == meant
        assert load(self.HOUSE, f"xlsx.styles={text}").xlsx.styles == meant

    def test_are_written_as_yaml_that_means_the_same(self, load: Loader) -> None:
        config = load(self.HOUSE)
        assert load(config.to_yaml()) == config

    @pytest.mark.parametrize(
        "text", ["", "house", "[]", "5", '{"a": {}, "a": {}}', '{"a": {', "[" * 100_000]
    )
    def test_that_are_no_mapping_are_refused(self, load: Loader, text: str) -> None:
        [problem] = load.problems(None, f"xlsx.styles={text}")
        assert problem.startswith("xlsx.styles: '")
        assert problem.endswith(
            "(--set) is not allowed; allowed: a mapping of names to options of xlsx "
            "(in the environment as JSON)"
        )

    @pytest.mark.parametrize("name", ["House", "a b", "''", "é", "a" * 41, "5", '"a\\n"'])
    def test_have_plain_names(self, load: Loader, name: str) -> None:
        [problem] = load.problems(f"xlsx: {{styles: {{{name}: {{}}}}}}")
        assert problem.startswith("xlsx.styles: ")
        assert problem.endswith(
            "(file config.yaml) is not allowed; "
            "a style's name has 1 to 40 of a to z, 0 to 9, - and _"
        )

    def test_are_refused_by_the_place_of_what_is_wrong_all_at_once(self, load: Loader) -> None:
        """A colour without quotes is a comment to YAML."""
        text = """
        server: {flight_port: 70000}
        xlsx:
          styles:
            house:
              header_style:
                color: red
                background: #FF0000
              totals: {price: sum}
            b: {autofilter: on, start_row: 0}
        """
        assert load.problems(text) == [
            (
                "server.flight_port: 70000 (file config.yaml) is not allowed; "
                "allowed: a whole number from 0 to 65535"
            ),
            (
                "xlsx.styles.house.totals: {'price': 'sum'} (file config.yaml) is not allowed; "
                "it belongs to one export; a style says how any of them looks"
            ),
            (
                "xlsx.styles.house.header_style.background: null (file config.yaml) is not "
                "allowed; give a value, in quotes where it begins with #, or leave the key out"
            ),
            (
                "xlsx.styles.house.header_style.color: 'red' (file config.yaml) is not allowed; "
                "use a colour such as '#1F4E78'"
            ),
            (
                "xlsx.styles.b.start_row: 0 (file config.yaml) is not allowed; "
                "input should be greater than or equal to 1"
            ),
        ]

    def test_stay_on_one_line(self, load: Loader) -> None:
        [problem] = load.problems('xlsx: {styles: {b: {"a\\nb": 1}}}')
        assert problem.startswith(r"'xlsx.styles.b.a\nb': 1 (file config.yaml) is not allowed")

    def test_hold_for_a_tree_made_by_hand(self) -> None:
        with pytest.raises(ValidationError, match=r"house.start_row is not allowed"):
            Config.model_validate({"xlsx": {"styles": {"house": {"start_row": 0}}}})


class TestReading:
    @pytest.mark.parametrize(
        ("text", "meant"),
        [
            ("250ms", timedelta(milliseconds=250)),
            ("30s", timedelta(seconds=30)),
            ("1.5h", timedelta(minutes=90)),
            ("1h30m", timedelta(minutes=90)),
            ("1d2h3m4s5ms", timedelta(1, 4, 0, 5, 3, 2)),
            (" 7d ", timedelta(days=7)),
        ],
    )
    def test_durations(self, load: Loader, text: str, meant: timedelta) -> None:
        assert load(None, f"server.max_task_duration={text}").server.max_task_duration == meant

    @pytest.mark.parametrize(
        ("text", "meant"),
        [
            ("10485760", 10 * 1024**2),
            ("10MB", 10_000_000),
            ("10 mb", 10_000_000),
            ("256 MiB", 256 * 1024**2),
            ("2GiB", 2 * 1024**3),
            ("1048576 B", 1024**2),
        ],
    )
    def test_sizes(self, load: Loader, text: str, meant: int) -> None:
        assert load(None, f"performance.memory_budget={text}").performance.memory_budget == meant

    @pytest.mark.parametrize("text", ["true", "True", "YES", "on", "1"])
    def test_words_for_true(self, load: Loader, text: str) -> None:
        assert load(None, f"security.allow_anonymous={text}").security.allow_anonymous is True

    @pytest.mark.parametrize("text", ["false", "FALSE", "no", "Off", "0"])
    def test_words_for_false(self, load: Loader, text: str) -> None:
        assert load(None, f"flight.require_commit={text}").flight.require_commit is False

    def test_numbers_stand_for_flags_in_the_file_too(self, load: Loader) -> None:
        assert load("flight: {require_commit: 0}").flight.require_commit is False

    def test_choices_in_any_case(self, load: Loader) -> None:
        assert load(None, "oss.signature=V1").oss.signature is Signature.V1

    def test_directories(self, load: Loader) -> None:
        assert load("storage: {local: {directory: x/y}}").storage.local.directory == Path("x/y")

    def test_text_keeps_its_characters(self, load: Loader) -> None:
        assert load(None, "oss.prefix= 导出/#1 ").oss.prefix == " 导出/#1 "

    def test_text_of_digits_stays_text(self, load: Loader) -> None:
        assert load(None, OSS_BUCKET="0123").oss.bucket == "0123"

    @pytest.mark.parametrize(
        "url", ["sqlite:///a.db", "postgresql://u:p@h/n", "postgresql+psycopg://u:p@h/n?sslmode=x"]
    )
    def test_database_urls(self, load: Loader, url: str) -> None:
        assert load(None, f"state.url={url}").state.url == url

    def test_the_base_of_links_loses_its_last_slash(self, load: Loader) -> None:
        config = load(None, "storage.local.public_url=https://files.example.com/exports/")
        assert config.storage.local.public_url == "https://files.example.com/exports"

    def test_an_empty_base_of_links_is_none(self, load: Loader) -> None:
        assert load(None, "storage.local.public_url=").storage.local.public_url is None

    @pytest.mark.parametrize("value", ["cores", "CORES"])
    def test_threads_as_many_as_cores(self, load: Loader, value: str) -> None:
        performance = load(None, f"performance.threads={value}").performance
        assert performance.threads is None
        assert performance.thread_count >= 1

    def test_threads_where_a_process_cannot_be_tied_to_cores(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delattr(os, "sched_getaffinity", raising=False)
        monkeypatch.setattr(os, "cpu_count", lambda: 7)
        assert Config().performance.thread_count == 7

    def test_threads_as_told(self, load: Loader) -> None:
        assert load(None, "performance.threads=3").performance.thread_count == 3

    @pytest.mark.parametrize("key", ["max_rows", "max_bytes_in", "max_bytes_out"])
    def test_limits_that_there_need_not_be(self, load: Loader, key: str) -> None:
        limits = load(f"limits: {{{key}: unlimited}}").limits
        assert getattr(limits, key) is None
        assert getattr(load(None, f"limits.{key}=10").limits, key) == 10

    @pytest.mark.parametrize("key", ["max_columns", "max_cell_bytes", "max_batch_bytes"])
    def test_limits_without_which_memory_has_no_bound(self, load: Loader, key: str) -> None:
        [problem] = load.problems(None, f"limits.{key}=unlimited")
        assert problem.startswith(f"limits.{key}: ")


class TestRules:
    @pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "LocalHost"])
    def test_loopback_needs_nothing(self, load: Loader, host: str) -> None:
        assert load(None, f"server.host={host}").server.host == host

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "export.internal", "a-b.c1"])
    def test_any_other_address_needs_consent(self, load: Loader, host: str) -> None:
        (problem,) = load.problems(None, f"server.host={host}")
        assert problem.startswith(f"server.host: '{host}' (--set) can be reached from other")
        assert "security.allow_anonymous" in problem
        allowed = load(None, f"server.host={host}", "security.allow_anonymous=true")
        assert allowed.server.host == host

    @pytest.mark.parametrize(
        ("override", "missing"),
        [
            ("security.auth_enabled=true", "this version has no authentication"),
            ("security.tls_enabled=true", "this version has no TLS"),
            ("security.allowed_clients=billing, crm", "cannot tell one client from another"),
        ],
    )
    def test_a_security_setting_that_would_do_nothing_is_refused(
        self, load: Loader, override: str, missing: str
    ) -> None:
        key, _, value = override.partition("=")
        (problem,) = load.problems(None, override)
        assert problem.startswith(f"{key}: '{value}' (--set) cannot be honoured")
        assert missing in problem

    def test_two_doors_never_share_a_port(self, load: Loader) -> None:
        assert load.problems("server: {status_port: 8815}\nmonitoring: {metrics_port: 8815}") == [
            (
                "server.status_port: 8815 (file config.yaml) is the port of server.flight_port "
                "too; every door needs its own, or 0 for a free one"
            ),
            (
                "monitoring.metrics_port: 8815 (file config.yaml) is the port of "
                "server.flight_port too; every door needs its own, or 0 for a free one"
            ),
        ]

    def test_a_default_can_be_in_the_way(self, load: Loader) -> None:
        (problem,) = load.problems(None, "server.flight_port=9090")
        assert problem.startswith("server.port: 9090 (default) is the port of server.flight_port")

    def test_any_number_of_doors_may_take_a_free_port(self, load: Loader) -> None:
        config = load(None, "server.flight_port=0", "server.status_port=0", "server.port=0")
        assert config.server.status_port == 0

    def test_hold_for_a_tree_made_by_hand(self) -> None:
        with pytest.raises(ValidationError, match="has no TLS"):
            Config.model_validate({"security": {"tls_enabled": True}})


class TestTheTree:
    def test_is_frozen(self) -> None:
        config = Config()
        with pytest.raises(ValidationError, match="frozen"):
            config.server = config.server
        with pytest.raises(ValidationError, match="frozen"):
            config.storage.local.retention = timedelta(1)

    def test_takes_values_of_python(self) -> None:
        local = {"directory": Path("/srv"), "retention": timedelta(hours=3)}
        config = Config.model_validate({"storage": {"local": local}})
        assert config.storage.local.directory == Path("/srv")
        assert config.storage.local.retention == timedelta(hours=3)

    def test_refuses_unknown_keys_by_itself(self) -> None:
        with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
            Config.model_validate({"server": {"prot": 1}})

    def test_shows_no_secret_however_it_is_printed(self, load: Loader) -> None:
        config = load(
            None,
            "storage.backend=local",
            "oss.security_token=hunter2",
            "security.mask_key=hunter2hunter2hunter2",
            "state.url=postgresql://me:hunter2@host/name",
            **OSS_COMPLETE,
        )
        for shown in (config.to_yaml(), repr(config), str(config), config.model_dump_json()):
            assert "hunter2" not in shown

    def test_refuses_without_showing_what_it_was_given(self) -> None:
        with pytest.raises(ValidationError) as refused:
            Config.model_validate({"state": {"url": "mysql://me:hunter2@host"}})
        assert "hunter2" not in str(refused.value)

    def test_is_written_as_yaml_that_means_the_same(self, load: Loader) -> None:
        changes: dict[str, Any] = {
            "server.timeout": "1h30m",
            "performance.threads": "3",
            "performance.memory_budget": "1500000",
            "storage.local.directory": "/srv/文件",
            "storage.local.public_url": "https://x.example",
            "oss.prefix": "no",
            "logging.output": "123",
        }
        config = load(None, *(f"{key}={value}" for key, value in changes.items()))
        assert config != Config()
        assert load(config.to_yaml()) == config

    def test_masks_only_secrets_that_are_set(self, load: Loader) -> None:
        text = load(None, "oss.security_token=hunter2").to_yaml()
        assert "security_token: '**********'\n" in text
        assert "access_key_secret: ''\n" in text


OSS = (
    "storage.backend=oss",
    *(
        f"oss.{n}={v}"
        for n, v in {
            "endpoint": "oss-cn-hangzhou.aliyuncs.com",
            "bucket": "exports",
            "access_key_id": "LTAI5t",
            "access_key_secret": "hunter2",
        }.items()
    ),
)


class TestOss:
    def test_needs_no_more_than_the_original_did(self, load: Loader) -> None:
        assert load(None, *OSS).storage.backend is Backend.OSS

    def test_says_all_that_is_missing(self, load: Loader) -> None:
        problems = load.problems(None, "storage.backend=oss")
        assert [problem.partition(":")[0] for problem in problems] == [
            "oss.endpoint",
            "oss.bucket",
            "oss.access_key_id",
            "oss.access_key_secret",
            "oss.region",
        ]

    @pytest.mark.parametrize(
        ("endpoint", "region"),
        [
            ("oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou"),
            ("https://oss-cn-hongkong-internal.aliyuncs.com", "cn-hongkong"),
            ("http://oss-us-west-1.aliyuncs.com", "us-west-1"),
            ("oss-accelerate.aliyuncs.com", None),
            ("oss-accelerate-overseas.aliyuncs.com", None),
            ("files.example.com", None),
            ("", None),
        ],
    )
    def test_finds_the_region_in_the_endpoint(self, endpoint: str, region: str | None) -> None:
        assert region_of(endpoint) == region

    def test_refuses_v4_without_a_region(self, load: Loader) -> None:
        """oss2 would make links that do not work, and say nothing."""
        custom = (*OSS, "oss.endpoint=files.example.com", "oss.cname=true")
        assert load.problems(None, *custom) == [
            (
                "oss.region: '' (default) is needed by oss.signature v4, since oss.endpoint names "
                "none, as oss-cn-hangzhou.aliyuncs.com does"
            )
        ]
        load(None, *custom, "oss.signature=v1")
        load(None, *custom, "oss.region=cn-hangzhou")

    @pytest.mark.parametrize(
        ("override", "key"),
        [
            ("oss.bucket=Exports", "oss.bucket"),
            ("oss.bucket=-x-", "oss.bucket"),
            ("oss.access_key_secret=", "oss.access_key_secret"),
            ("oss.credentials=ecs_ram_role", "oss.ecs_role"),
            ("oss.kms_key_id=k", "oss.kms_key_id"),
            ("oss.signed_url_expiry=8d", "oss.signed_url_expiry"),
            ("oss.endpoint=http://a/b", "oss.endpoint"),
            ("oss.prefix=/a", "oss.prefix"),
            ("oss.prefix=a//b", "oss.prefix"),
            ("oss.prefix=../b", "oss.prefix"),
            ("oss.prefix={user}", "oss.prefix"),
            ("oss.prefix={task_id", "oss.prefix"),
            ("oss.prefix={date}/{filename}", "oss.prefix"),
            ("oss.prefix={client!r}", "oss.prefix"),
            ('oss.tags={"a": "{user}"}', "oss.tags.a"),
            ('oss.tags={"a": "ä"}', "oss.tags.a"),
            ('oss.tags={"ä": "a"}', "oss.tags"),
            ("oss.tags=a", "oss.tags"),
            ("oss.traffic_limit=1KiB", "oss.traffic_limit"),
        ],
    )
    def test_refuses_what_oss_would(self, load: Loader, override: str, key: str) -> None:
        (problem,) = load.problems(None, *OSS, override)
        assert problem.startswith(f"{key}: ")

    def test_refuses_a_bucket_in_the_path_of_a_domain_of_its_own(self, load: Loader) -> None:
        (problem,) = load.problems(None, *OSS, "oss.cname=true", "oss.path_style=true")
        assert problem.startswith("oss.path_style: 'true' (--set) is true, as is oss.cname")

    def test_needs_no_keys_that_come_from_elsewhere(self, load: Loader) -> None:
        bare = [each for each in OSS if "access_key" not in each]
        load(None, *bare, "oss.credentials=environment")
        load(None, *bare, "oss.credentials=ecs_ram_role", "oss.ecs_role=exporter")

    def test_is_what_the_storage_is_made_of(self, load: Loader) -> None:
        settings = OssSettings.of(
            load(
                None,
                *OSS,
                "oss.internal_endpoint=oss-cn-hangzhou-internal.aliyuncs.com",
                "oss.storage_class=ia",
                "oss.server_side_encryption=kms",
                "oss.kms_key_id=k-1",
                "oss.traffic_limit=1 MiB",
            )
        )
        assert settings.endpoint == "https://oss-cn-hangzhou.aliyuncs.com"
        assert settings.upload_endpoint == "https://oss-cn-hangzhou-internal.aliyuncs.com"
        assert settings.region == "cn-hangzhou"
        assert settings.headers == {
            "x-oss-storage-class": "IA",
            "x-oss-server-side-encryption": "KMS",
            "x-oss-server-side-encryption-key-id": "k-1",
        }
        assert settings.sending_headers == {"x-oss-traffic-limit": "8388608"}
        assert "hunter2" not in repr(settings)
