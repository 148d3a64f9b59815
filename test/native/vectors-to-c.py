"""Turns test/wire-vectors.json into a C header: vectors-to-c.py IN > OUT.

The header needs <stddef.h> before it.
"""
import json
import sys

NUMBERS = {
    "prompt": ("source", "part"),
    "notice": ("kind",),
    "verdict": ("code", "shape", "fail_delay_us"),
    "start": ("version", "flags"),
    "answer": (),
    "cancel": ("reason",),
}


TYPES = """\
struct item {
	unsigned first, second;
	size_t length;
	const char *text;
};

struct vector {
	const char *name, *message;
	int valid;
	size_t size;
	const char *bytes;
	unsigned numbers[3];
	const char *text;
	const struct item *items;
	size_t count;
};
"""


def c_bytes(data):
    return "".join("\\%03o" % byte for byte in data)


def raw(item):
    return bytes.fromhex(item["hex"]) if "hex" in item else item["text"].encode()


def items(fields):
    for shape in fields.get("shapes", []):
        if "class" in shape:
            yield shape["class"], shape["length"], b""
        else:
            yield shape["shape"], 0, shape["text"].encode()
    for item in fields.get("items", []):
        yield item["tag"], 0, raw(item)


def show(index, vector):
    fields = vector.get("fields", {})
    data = bytes.fromhex(vector["hex"])
    numbers = [fields.get(name, 0) for name in NUMBERS[vector["message"]]]
    listed = list(items(fields))
    print("static const struct item items_%d[] = {" % index)
    for first, second, text in listed:
        print('\t{ %d, %d, %d, "%s" },' % (first, second, len(text), c_bytes(text)))
    print('\t{ 0, 0, 0, "" },\n};')
    return '\t{ %s, "%s", %d, %d, "%s", { %s }, "%s", items_%d, %d },' % (
        json.dumps(vector["name"]),
        vector["message"],
        vector["valid"],
        len(data),
        c_bytes(data),
        ", ".join("%dU" % number for number in numbers) or "0",
        c_bytes(fields.get("text", "").encode()),
        index,
        len(listed),
    )


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        vectors = json.load(file)["vectors"]
    print(TYPES)
    rows = [show(index, vector) for index, vector in enumerate(vectors)]
    print("static const struct vector vectors[] = {")
    print("\n".join(rows))
    print("};")


main()
