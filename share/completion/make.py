#!/usr/bin/env python3
"""Completion for bash and zsh, made of what the programs say of themselves: make.py bash|zsh TICKBUSCTL TICKBUSD

The build runs it, so a command or option that --help names is completed, and no list is kept twice.
"""
import re
import subprocess
import sys

FILES = {"FILE", "PATH", "BACKUP", "LOG"}
FOLDERS = {"DIR"}
WORDS = {"KIND": "tick bar tier1 tier2 news status"}
VALUES = {"--adjust": "raw split all", "--align": "outer inner ffill", "--policy": "lossless conflate best-effort",
          "--timeframe": "1s 1m 5m 15m 1h 1d", "--what": "bars news actions"}


def say(*args):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, text=True).stdout


def options_of(text):
    """{option: its argument's name or ""} of a help text, and whose others are meant."""
    found, others = {}, []
    for line in text.splitlines():
        if not line.startswith("  "):
            continue
        # In the text beside, "--x" is another option of the same only after these.
        column, _, beside = line.strip().partition("  ")
        beside = " ".join(re.findall(r"(?:\bor |\[|; )(--[a-z][a-z-]*(?: [A-Z]+)?)", beside))
        for option, name in re.findall(r"(?<![\w-])(--[a-z][a-z-]*)(?:[ =]([A-Z][A-Z,]*))?", column + " " + beside):
            found.setdefault(option, name)
        others += re.findall(r"as for (\w+)", line)
    return found, others


class Table:
    def __init__(self, ctl, daemon):
        text = say(ctl, "--help")
        self.commands = dict(re.findall(r"^  ([a-z]\w*) +(\S.*)$", text, re.M))
        self.common, _ = options_of(re.search(r"^  --admin.*?\n\n", text, re.M | re.S)[0])
        self.common.pop("--version", None)
        self.daemon, _ = options_of(say(daemon, "--help"))
        self.options, self.args, borrows = {}, {}, {}
        for c in self.commands:
            text = say(ctl, "help", c)
            usage, _, body = text.partition("\n")
            self.args[c] = usage.removeprefix(f"usage: tickbusctl {c}").strip()
            self.options[c], borrows[c] = options_of(body.partition("\nEverywhere:")[0])
        for c, whose in borrows.items():
            for other in whose:
                for option, name in self.options.get(other, {}).items():
                    if option in self.options[c]:
                        self.options[c][option] = self.options[c][option] or name

    def positional(self, command):
        """What an argument that is no option may be: words, files, folders, symbols."""
        args = self.args[command]
        words = re.findall(r"(?:^|[|\[] *)([a-z]\w+)(?= |\||\]|$)", args)
        for name in re.findall(r"\b[A-Z]+\b", args):
            words += WORDS.get(name, "").split()
        upper = set(re.findall(r"\b[A-Z]+\b", args))
        return {"words": list(dict.fromkeys(words)), "files": bool(upper & FILES), "folders": bool(upper & FOLDERS),
                "symbols": bool(upper & {"SYMBOL", "SYM"})}


BASH = """# bash completion for tickbusctl and tickbusd; made by share/completion/make.py
_tickbusctl_symbols()
{{
	tickbusctl symbols --json 2>/dev/null | grep -o '"symbol":"[^"]*"' | cut -d'"' -f4
}}

_tickbusctl()
{{
	local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}} command= i word
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${{COMP_WORDS[i]}}
		case $word in
		{common_args}) ((i++)) ;;
		-*) ;;
		*) command=$word; break ;;
		esac
	done
	if [[ $command == help ]]; then
		COMPREPLY=($(compgen -W "{commands}" -- "$cur"))
		return
	fi
	case $command:$prev in
{values}	esac
	if [[ $cur == -* ]]; then
		case $command in
{options}		*) COMPREPLY=($(compgen -W "{common} --version" -- "$cur")) ;;
		esac
		return
	fi
	case $command in
	'') COMPREPLY=($(compgen -W "{commands} help" -- "$cur")) ;;
{positional}	esac
}}

_tickbusd()
{{
	local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}}
	case $prev in
{daemon_values}	esac
	COMPREPLY=($(compgen -W "{daemon}" -- "$cur"))
}}

complete -F _tickbusctl tickbusctl
complete -F _tickbusd tickbusd
"""


def compgen(option, name):
    if option in VALUES:
        return f'compgen -W "{VALUES[option]}" -- "$cur"'
    if name in FILES:
        return 'compgen -f -- "$cur"'
    if name in FOLDERS:
        return 'compgen -d -- "$cur"'
    return ""


def bash(t):
    values, options, positional, daemon_values = [], [], [], []
    for c in t.commands:
        every = {**t.options[c], **t.common}
        options.append(f'\t\t{c}) COMPREPLY=($(compgen -W "{" ".join(every)}" -- "$cur")) ;;\n')
        for option, name in every.items():
            if name:
                values.append(f"\t{c}:{option}) COMPREPLY=($({compgen(option, name) or ':'})); return ;;\n")
        p = t.positional(c)
        parts = [f'compgen -W "{" ".join(p["words"])}" -- "$cur"'] if p["words"] else []
        parts += ['compgen -f -- "$cur"'] if p["files"] else []
        parts += ['compgen -d -- "$cur"'] if p["folders"] else []
        parts += ['compgen -W "$(_tickbusctl_symbols)" -- "$cur"'] if p["symbols"] else []
        if parts:
            positional.append(f'\t{c}) COMPREPLY=($({"; ".join(parts)})) ;;\n')
    for option, name in t.common.items():
        if name:
            values.append(f"\t:{option}) COMPREPLY=($({compgen(option, name) or ':'})); return ;;\n")
    for option, name in t.daemon.items():
        if name:
            daemon_values.append(f"\t{option}) COMPREPLY=($({compgen(option, name) or ':'})); return ;;\n")
    return BASH.format(commands=" ".join(t.commands), common=" ".join(t.common), values="".join(values),
                       common_args="|".join(o for o, n in t.common.items() if n), options="".join(options),
                       positional="".join(positional), daemon=" ".join(t.daemon),
                       daemon_values="".join(daemon_values))


def quoted(text):
    return text.replace("'", "'\\''").replace("[", "(").replace("]", ")").replace(":", " -")


def zsh_value(option, name):
    if option in VALUES:
        return f":{name}:({VALUES[option]})"
    if name in FILES:
        return f":{name}:_files"
    if name in FOLDERS:
        return f":{name}:_files -/"
    return f":{name}: " if name else ""


def zsh(t):
    out = ["#compdef tickbusctl tickbusd", "# made by share/completion/make.py", "",
           "_tickbusctl_symbols() {",
           "\tlocal -a symbols",
           "\tsymbols=(${(f)\"$(tickbusctl symbols --json 2>/dev/null | grep -o '\"symbol\":\"[^\"]*\"' | cut -d'\"' -f4)\"})",
           "\tcompadd -a symbols", "}", "", "_tickbusctl() {", "\tlocal curcontext=$curcontext state line",
           "\tlocal -a commands common", "\tcommands=("]
    out += [f"\t\t'{c}:{quoted(what)}'" for c, what in t.commands.items()]
    out += ["\t)", "\tcommon=("]
    out += [f"\t\t'{o}{zsh_value(o, n)}'" for o, n in t.common.items()]
    out += ["\t)", "\t_arguments -C $common --version '1:command:->command' '*::argument:->argument'",
            "\tcase $state in", "\tcommand) _describe command commands ;;", "\targument)", "\t\tcase $words[1] in"]
    for c in t.commands:
        p = t.positional(c)
        rest = (["_files"] if p["files"] else ["_files -/"] if p["folders"] else
                ["_tickbusctl_symbols"] if p["symbols"] and not p["words"] else
                [f"({' '.join(p['words'])})"] if p["words"] else [" "])
        specs = [f"'{o}{zsh_value(o, n)}'" for o, n in t.options[c].items()] + [f"'*:argument:{rest[0]}'"]
        out.append(f"\t\t{c}) _arguments $common {' '.join(specs)} ;;")
    out += ["\t\tesac", "\t\t;;", "\tesac", "}", "", "_tickbusd() {", "\t_arguments \\"]
    out += [f"\t\t'{o}{zsh_value(o, n)}' \\" for o, n in t.daemon.items()]
    out += ["\t\t&& return", "}", "", "case $service in", "tickbusd) _tickbusd \"$@\" ;;",
            "*) _tickbusctl \"$@\" ;;", "esac"]
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    table = Table(sys.argv[2], sys.argv[3])
    sys.stdout.write({"bash": bash, "zsh": zsh}[sys.argv[1]](table))
