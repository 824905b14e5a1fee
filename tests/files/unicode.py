"""Makes lua/nnlua/text/unicode_tables.lua of Python's unicodedata. python3 unicode.py > ../../lua/nnlua/text/unicode_tables.lua"""

import unicodedata as u

ALL = range(0x110000)
DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz'


def base36(n):
    text = ''
    while True:
        n, r = divmod(n, 36)
        text = DIGITS[r] + text
        if n == 0:
            return text


def signed(n):
    return '-' + base36(-n) if n < 0 else base36(n)


def runs(values):
    """[first, last, value] of neighbours with the same value; those with None are left out."""
    out = []
    for c in ALL:
        v = values(c)
        if v is None:
            continue
        if out and out[-1][1] == c - 1 and out[-1][2] == v:
            out[-1][1] = c
        else:
            out.append([c, c, v])
    return out


def category(test):
    at, words = 0, []
    for first, last, _ in runs(lambda c: True if test(u.category(chr(c))) else None):
        words.append(f'{base36(first - at)}.{base36(last - first)}')
        at = last
    return words


def combining():
    at, words = 0, []
    for first, last, v in runs(lambda c: u.combining(chr(c)) or None):
        words.append(f'{base36(first - at)}.{base36(last - first)}.{base36(v)}')
        at = last
    return words


def lower():
    """first.count.step.delta: capitals `step` apart, each with its small letter `delta` further on."""
    pairs = [(c, ord(chr(c).lower()) - c) for c in ALL if len(chr(c).lower()) == 1 and chr(c).lower() != chr(c)]
    words, at, i = [], 0, 0
    while i < len(pairs):
        step = pairs[i + 1][0] - pairs[i][0] if i + 1 < len(pairs) else 1
        step = step if step <= 2 else 1
        j = i
        while j + 1 < len(pairs) and pairs[j + 1][0] - pairs[j][0] == step and pairs[j + 1][1] == pairs[i][1]:
            j += 1
        words.append(f'{base36(pairs[i][0] - at)}.{base36(j - i)}.{step}.{signed(pairs[i][1])}')
        at = pairs[j][0]
        i = j + 1
    return words


def canonical():
    """gap.part[.part]; with ! behind it where the parts are not composed to it again."""
    words, at = [], 0
    for c in ALL:
        d = u.decomposition(chr(c))
        if not d or d.startswith('<'):
            continue
        parts = [int(p, 16) for p in d.split()]
        again = '' if u.normalize('NFC', ''.join(map(chr, parts))) == chr(c) else '!'
        words.append(f'{base36(c - at)}.' + '.'.join(base36(p) for p in parts) + again)
        at = c
    return words


def put(name, words):
    lines, line = [], ''
    for w in words:
        if len(line) + len(w) + 1 > 112:
            lines.append(line)
            line = ''
        line += (' ' if line else '') + w
    lines.append(line)
    print(f'  {name} = [[')
    print('\n'.join(lines))
    print('  ]],')


print(f"""-- What the Unicode Standard, version {u.unidata_version}, says of characters. Made by tests/files/unicode.py.
-- Numbers have base 36 and count from the last one: unicode.lua reads them.

return {{""")
put('letters', category(lambda c: c[0] == 'L'))
put('numbers', category(lambda c: c[0] == 'N'))
put('decimals', category(lambda c: c == 'Nd'))
put('letter_numbers', category(lambda c: c == 'Nl'))
put('connectors', category(lambda c: c == 'Pc'))
put('marks', category(lambda c: c[0] == 'M'))
put('nonspacing_marks', category(lambda c: c == 'Mn'))
put('punctuation', category(lambda c: c[0] == 'P'))
put('symbols', category(lambda c: c[0] == 'S'))
put('separators', category(lambda c: c[0] == 'Z'))
put('others', category(lambda c: c in ('Cc', 'Cf', 'Co')))
put('combining', combining())
put('lower', lower())
put('canonical', canonical())
print('}')
