"""Judges the commands of the AWS CLI in shell and in documentation, and calls of boto3, by the API models of botocore.

commands.py FILE... prints a line for each fault, and then how many commands and calls it has judged. The names of options are the
members of an operation's input (AWS CLI, awscli/argprocess and clidriver: botocore.xform_name with a hyphen).
"""
import ast
import re
import sys

import botocore.session
import jmespath
from botocore import xform_name

SESSION = botocore.session.get_session()
GLOBAL = {"region", "query", "output", "profile", "cli-input-json", "max-items", "no-cli-pager"}
# Commands of the CLI itself. Their options are in its own reference.
OWN = {("s3", "cp"), ("s3", "mb"), ("logs", "tail"), ("ecr", "get-login-password"), ("eks", "get-token")}
NAMES = {"s3api": "s3", "deploy": "codedeploy"}
models, judged = {}, 0


def operations(service):
    if service not in models:
        model = SESSION.get_service_model(service)
        models[service] = {xform_name(name): model.operation_model(name) for name in model.operation_names}
    return models[service]


def words(text):
    """Splits a shell command up to its end. What the shell or the reader fills in becomes VALUE."""
    text = re.sub(r"\\\n\s*", " ", text)
    text = re.sub(r"\"\$\{\w+\[@\]\}\"|\$\{[^}]*\}|\$\([^)]*\)|\$\w+|<[A-Za-z][^<>\n|]*>|…", "VALUE", text)
    found = re.match(r"(?:\"(?:\\.|[^\"])*\"|'[^']*'|[^\"'\n|;&)#<>`])*", text).group()
    return ["".join(a or b or c for a, b, c in re.findall(r"\"((?:\\.|[^\"])*)\"|'([^']*)'|([^\s\"']+)", w))
            for w in re.findall(r"(?:\"(?:\\.|[^\"])*\"|'[^']*'|[^\s\"'])+", found)]


def member(shape, value):
    """Judges the keys and the enumerated values of an option's value."""
    if shape.type_name == "list":
        return member(shape.member, value)
    if shape.type_name == "structure" and value[:1] not in ("{", "[", "f") and "=" in value:
        for key, of in re.findall(r"(?:^|,)(\w+)=([^,=]*)", re.sub(r"\[[^\]]*\]", "", value)):
            if key not in shape.members:
                raise ValueError("%s has no %s" % (shape.name, key))
            member(shape.members[key], of)
    enum = getattr(shape, "enum", None)
    if enum and value not in enum and "VALUE" not in value:
        raise ValueError("%s is none of %s" % (value, ", ".join(enum)))


def query(node, shape):
    """Follows a query through the shape of an answer. Anything of a computed shape is taken as it is."""
    kind, children = node["type"], node.get("children", [])
    if shape is None:
        return None
    if kind == "field":
        if shape.type_name != "structure" or node["value"] not in shape.members:
            raise ValueError("%s has no %s to query" % (shape.name, node["value"]))
        return shape.members[node["value"]]
    if kind in ("subexpression", "index_expression", "pipe"):
        for child in children:
            shape = query(child, shape)
        return shape
    if kind == "index":
        return shape.member if shape.type_name == "list" else None
    if kind in ("projection", "filter_projection", "flatten"):
        inner = query(children[0], shape)
        while inner is not None and inner.type_name == "list":
            inner = inner.member
        for child in children[1:]:
            query(child, inner) if inner is not None else None
        return query(children[1], inner) if kind == "projection" and inner is not None else inner
    if kind in ("multi_select_list", "multi_select_dict", "key_val_pair", "comparator"):
        for child in children:
            query(child, shape)
    return shape if kind in ("identity", "current") else None


def command(all, whole):
    service, name = NAMES.get(all[1], all[1]), all[2]
    if (service, name) in OWN:
        return
    if name == "wait":
        waiters = SESSION.get_waiter_model(service)
        waiter = {xform_name(w, "-"): w for w in waiters.waiter_names}[all[3]]
        name, all = xform_name(waiters.get_waiter(waiter).operation, "-"), all[1:]
    operation = operations(service)[name.replace("-", "_")]
    shape = operation.input_shape
    members = {xform_name(m, "-"): s for m, s in shape.members.items()} if shape else {}
    given, option = set(), None
    for word in all[3:]:
        if word.startswith("--"):
            option = word[2:]
            if option.startswith("no-") and members.get(option[3:]) is not None:
                option = option[3:]
            if option not in members and option not in GLOBAL:
                raise ValueError("there is no option --" + option)
            given.add(option)
        elif option in members:
            member(members[option], word)
        elif option == "query":
            query(jmespath.compile(word).parsed, operation.output_shape)
    missing = {xform_name(m, "-") for m in shape.required_members} - given if shape else set()
    if missing and whole and "cli-input-json" not in given:
        raise ValueError("it lacks --" + ", --".join(sorted(missing)))


def calls(tree):
    """Judges the names of what calls of boto3 are given. A method is that of the file's only client that has one."""
    clients = [n.args[0].value for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "attr", "") == "client"]
    for n in ast.walk(tree):
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.keywords and not n.args:
            operation = next((operations(c)[n.func.attr] for c in clients if n.func.attr in operations(c)), None)
            given = {k.arg for k in n.keywords}
            if operation is None:
                yield n.lineno, "no client has " + n.func.attr
            elif given - set(operation.input_shape.members) or set(operation.input_shape.required_members) - given:
                yield n.lineno, "%s is called with %s" % (operation.name, ", ".join(sorted(given)))
            else:
                yield n.lineno, ""


for path in sys.argv[1:]:
    text = open(path).read()
    found = []
    if path.endswith(".py"):
        found = calls(ast.parse(text))
    else:
        pattern = re.compile(r"(?<![\w./:-])aws\s[a-z0-9]+\s[a-z][a-z0-9-]+(?=[\s`])")
        for m in pattern.finditer(text):
            line = text[text.rfind("\n", 0, m.start()) + 1:m.start()]
            rest = text[m.start():]
            whole = not line.endswith("`")  # a sentence may name a command, or one of its options
            if path.endswith(".md"):
                if not whole:
                    rest = re.sub(r"\s*\n\s*", " ", rest[:rest.index("`")])
                elif not line.startswith("    "):
                    continue
            elif line.lstrip().startswith("#"):
                continue
            try:
                command(words(rest), whole)
                why = ""
            except (ValueError, LookupError, botocore.exceptions.BotoCoreError) as e:
                why = "%s: %s" % (" ".join(words(rest)), e if not isinstance(e, LookupError) else "there is no %s" % e)
            found.append((text.count("\n", 0, m.start()) + 1, why))
    for line, why in found:
        judged += 1
        if why:
            print("%s:%d: %s" % (path, line, " ".join(why.split())))
print(judged)
