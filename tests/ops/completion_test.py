#!/usr/bin/env python3
"""The completions as a shell uses them: completion_test.py TICKBUSCTL BASH_FILE ZSH_FILE SOURCE_DIR

Every command and option that is offered is one, every one that there is is offered; bash completes with it, and zsh
where it is here.  Prints TAP.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

CTL, BASH, ZSH, SOURCE = map(os.path.abspath, sys.argv[1:5])


def run(*args, **more):
    return subprocess.run(args, capture_output=True, text=True, timeout=240, **more)


def complete(*words):
    """What bash offers behind @words, the last of which is begun."""
    script = (f"source {BASH}\nCOMP_WORDS=({' '.join(repr(w) for w in words)})\nCOMP_CWORD={len(words) - 1}\n"
              f"_{words[0]}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n")
    done = run("bash", "--norc", "-c", script, cwd=os.path.dirname(os.path.abspath(__file__)),
               env={**os.environ, "PATH": os.path.dirname(os.path.abspath(CTL)) + ":" + os.environ["PATH"]})
    assert done.returncode == 0 and done.stderr == "", done
    return set(done.stdout.split())


def commands():
    with open(os.path.join(SOURCE, "cli/tickbusctl.c"), encoding="utf-8") as f:
        names = re.findall(r'^\t\{"(\w+)", ', f.read(), re.M)
    assert len(names) > 20
    return names


def every_command_is_offered_and_no_other():
    assert complete("tickbusctl", "") == {*commands(), "help"}
    assert complete("tickbusctl", "do") == {"doctor"}
    assert complete("tickbusctl", "--admin", "x", "rel") == {"reload"}
    assert complete("tickbusctl", "help", "back") == {"backup"}


def every_option_that_is_offered_is_taken():
    for command in commands():
        for option in complete("tickbusctl", command, "--"):
            done = run(CTL, command, "--admin", "/nonexistent/sock", option, "1", "--help", stdin=subprocess.DEVNULL)
            assert "unrecognized option" not in done.stderr and "ambiguous" not in done.stderr, (command, done)
    assert "unrecognized option" in run(CTL, "status", "--nonsense").stderr, "the test is blind"


def every_option_of_the_source_is_offered():
    offered = set().union(*(complete("tickbusctl", c, "--") for c in commands())) | complete("tickbusctl", "--")
    seen = 0
    for path in glob.glob(os.path.join(SOURCE, "cli", "*.c")):
        with open(path, encoding="utf-8") as f:
            for name in re.findall(r'\{"([a-z][a-z-]*)", (?:no|required|optional)_argument', f.read()):
                seen += 1
                assert f"--{name}" in offered, f"{os.path.basename(path)}: --{name} is in no help text"
    assert seen > 60, seen


def arguments_are_completed_by_what_they_are():
    assert complete("tickbusctl", "sub", "ti") == {"tick", "tier1", "tier2"}
    assert complete("tickbusctl", "ingest", "--adjust", "") == {"raw", "split", "all"}
    assert complete("tickbusctl", "feed", "completion_t") == {"completion_test.py"}
    assert complete("tickbusctl", "restore", "--config", "completion_t") == {"completion_test.py"}
    assert complete("tickbusctl", "cache", "inv") == {"invalidate"}
    assert complete("tickbusd", "--check") == {"--check-config"}


def zsh_loads_and_offers():
    if shutil.which("zsh") is None:
        print("# zsh is not here: its completion was only read")
    else:
        assert run("zsh", "-n", ZSH).returncode == 0
        script = ("zmodload zsh/zpty; fpath=($1:h $fpath); "
                  "zpty z zsh -f -i; "
                  "zpty -w z \"PS1=; fpath=($1:h \\$fpath); autoload -Uz compinit; compinit -u -d $2/dump; "
                  "zstyle ':completion:*' list-prompt ''; zle-line-init() { print -rn rea''dy }; zle -N zle-line-init\"; "
                  "zpty -r -m z out '*ready*'; zpty -w -n z \"tickbusctl doc\"$'\\t'; "
                  "zpty -w -n z $'\\x15'\"echo en''d\"$'\\n'; zpty -r -m z out '*end*'; print -r -- $out")
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(ZSH, os.path.join(folder, "_tickbusctl"))
            # Typed when the line editor stands ready, which says so itself; a few times, for a machine may be busy.
            for _ in range(5):
                done = run("zsh", "-f", "-c", script, "zsh", os.path.join(folder, "_tickbusctl"), folder)
                if "doctor" in done.stdout:
                    break
            assert "doctor" in done.stdout, done
    with open(ZSH, encoding="utf-8") as f:
        text = f.read()
    for command in commands():
        assert re.search(rf"^\t\t'{command}:", text, re.M) and f"\t\t{command}) _arguments" in text, command


def main():
    tests, failed = [every_command_is_offered_and_no_other, every_option_that_is_offered_is_taken,
                     every_option_of_the_source_is_offered, arguments_are_completed_by_what_they_are,
                     zsh_loads_and_offers], 0
    print(f"1..{len(tests)}", flush=True)
    for i, test in enumerate(tests, 1):
        try:
            test()
            print(f"ok {i} - {test.__name__}", flush=True)
        except Exception as e:
            failed += 1
            print(f"not ok {i} - {test.__name__}", flush=True)
            print(f"{test.__name__}: {type(e).__name__}: {str(e)[:2000]}", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
