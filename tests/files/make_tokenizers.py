"""Makes tests/files/tokenizers and tokenizers.lua: small tokenizers of all kinds by Hugging Face's tokenizers 0.23, and
what they make of some texts. python3 make_tokenizers.py, in this folder."""

import os
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, decoders, trainers, AddedToken, Regex

texts = [
    "Hello, world!",
    "Héllo WORLD — naïve café",
    "  two  spaces\tand\nlines ",
    "don't stop, we'll go; I've 123 4567 things",
    "你好世界 mixed 中文 text",
    "emoji 😀👍🏽 done",
    "ÅÄÖ ß İstanbul ΑΣΣ",
    "a.b@c.com http://x.y/z?q=1",
    "[MASK] is [SEP] special",
    "",
    "x" * 120,
    "한국어 텍스트 각",
    "résumé ﬁ ½ ① Ⅷ",
    "control\x01\x02 chars\u200d\u200b zero\ufeff",
    "e\u0301 q\u0307\u0323 combining",
    "ünïcödé ÀÉÎÕÜ ñ ç",
    " \u3000wide\u00a0nbsp",
    "Don'T HE'S we'RE",
    "price: $3.50, 100% (ok)",
    "under_score snake_case CamelCase",
    "٣٤ हिन्दी ไทย",
]
corpus = (
    texts * 3
    + [
        "the quick brown fox jumps over the lazy dog " * 3,
        "hello world this is a test of the tokenizer. tokenizers are fun!",
        "numbers 12 123 1234 12345",
    ]
    * 3
)


def bpe(pre, norm=None, post=None, dec=None, **kw):
    init = {
        k: kw.pop(k)
        for k in list(kw)
        if k
        in (
            'unk_token',
            'byte_fallback',
            'fuse_unk',
            'continuing_subword_prefix',
            'end_of_word_suffix',
            'ignore_merges',
        )
    }
    t = Tokenizer(models.BPE(**init))
    t.pre_tokenizer = pre
    if norm:
        t.normalizer = norm
    tr = dict(vocab_size=kw.pop('vocab', 330), special_tokens=kw.pop('special', []))
    for k in ('continuing_subword_prefix', 'end_of_word_suffix'):
        if k in init:
            tr[k] = init[k]
    tr.update(kw)
    t.train_from_iterator(corpus, trainers.BpeTrainer(show_progress=False, **tr))
    if post:
        t.post_processor = post(t)
    if dec:
        t.decoder = dec
    return t


T = {}
T['gpt2'] = bpe(
    pre_tokenizers.ByteLevel(add_prefix_space=False),
    post=lambda t: processors.ByteLevel(trim_offsets=True),
    dec=decoders.ByteLevel(),
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    special=['<|endoftext|>'],
)
T['roberta'] = bpe(
    pre_tokenizers.ByteLevel(add_prefix_space=True),
    post=lambda t: processors.RobertaProcessing(('</s>', t.token_to_id('</s>')), ('<s>', t.token_to_id('<s>'))),
    dec=decoders.ByteLevel(),
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    special=['<s>', '<pad>', '</s>', '<unk>', AddedToken('<mask>', lstrip=True)],
)
L3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
T['llama3'] = bpe(
    pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(L3), 'isolated'), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    ),
    norm=normalizers.NFC(),
    dec=decoders.ByteLevel(),
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    special=['<|begin|>'],
    ignore_merges=True,
    post=lambda t: processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(
                single='<|begin|> $A',
                pair='<|begin|> $A <|begin|>:1 $B:1',
                special_tokens=[('<|begin|>', t.token_to_id('<|begin|>'))],
            ),
        ]
    ),
)
T['llama2'] = bpe(
    pre_tokenizers.WhitespaceSplit(),
    norm=normalizers.Sequence([normalizers.Prepend('▁'), normalizers.Replace(' ', '▁')]),
    special=['<unk>', '<s>', '</s>'] + ['<0x%02X>' % i for i in range(256)],
    vocab=340,
    unk_token='<unk>',
    byte_fallback=True,
    fuse_unk=True,
    dec=decoders.Sequence(
        [decoders.Replace('▁', ' '), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(' ', 1, 0)]
    ),
    limit_alphabet=40,
)
T['llama2'].pre_tokenizer = None if False else pre_tokenizers.Sequence([])
T['metaspace'] = bpe(
    pre_tokenizers.Metaspace(), unk_token='<unk>', special=['<unk>'], dec=decoders.Metaspace(), limit_alphabet=60
)
T['clip'] = bpe(
    pre_tokenizers.Sequence([pre_tokenizers.Whitespace()]),
    norm=normalizers.Sequence(
        [normalizers.NFD(), normalizers.Lowercase(), normalizers.StripAccents(), normalizers.Strip()]
    ),
    end_of_word_suffix='</w>',
    unk_token='<unk>',
    fuse_unk=True,
    special=['<unk>'],
    dec=decoders.BPEDecoder(),
    limit_alphabet=30,
)
T['digits'] = bpe(
    pre_tokenizers.Sequence(
        [
            pre_tokenizers.Punctuation('merged_with_previous'),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.WhitespaceSplit(),
        ]
    ),
    unk_token='<unk>',
    special=['<unk>'],
    continuing_subword_prefix='##',
)


def wp(lower=True, strip=None, **kw):
    t = Tokenizer(models.WordPiece(unk_token='[UNK]'))
    t.normalizer = normalizers.BertNormalizer(lowercase=lower, strip_accents=strip)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.train_from_iterator(
        corpus,
        trainers.WordPieceTrainer(
            vocab_size=200,
            special_tokens=['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'],
            show_progress=False,
            limit_alphabet=70,
        ),
    )
    t.post_processor = processors.TemplateProcessing(
        single='[CLS] $A [SEP]', pair='[CLS] $A [SEP] $B:1 [SEP]:1', special_tokens=[('[CLS]', 2), ('[SEP]', 3)]
    )
    t.decoder = decoders.WordPiece()
    return t


T['bert'] = wp()
T['bert_cased'] = wp(False)
T['bert_accents'] = wp(True, False)
w = Tokenizer(models.WordLevel(unk_token='[UNK]'))
w.pre_tokenizer = pre_tokenizers.Whitespace()
w.normalizer = normalizers.Replace(Regex(r'\d+'), '0')
w.train_from_iterator(corpus, trainers.WordLevelTrainer(special_tokens=['[UNK]'], show_progress=False))
w.add_tokens([AddedToken('world', single_word=True, normalized=True), AddedToken('ok', single_word=False)])
T['words'] = w
os.makedirs('tokenizers', exist_ok=True)


def quoted(s):
    return '"' + ''.join(c if 32 <= ord(c) != 127 and c not in '"\\' else f'\\u{{{ord(c):X}}}' for c in s) + '"'


def listed(values):
    return '{' + ', '.join(map(str, values)) + '}'


def bytes_of(s, o):
    return f'{{{len(s[:o[0]].encode()) + 1}, {len(s[:o[1]].encode())}}}'


out = open('tokenizers.lua', 'w')
out.write(
    '-- Made by make_tokenizers.py: texts, and by tokenizer, for each text, numbers of tokens (from 0 on), first and last\n'
    '-- byte of each, and what they are decoded to; then numbers and types of the first text with the fourth.\n'
)
out.write('local texts = {\n' + ''.join(f'  {quoted(s)},\n' for s in texts) + '}\nlocal made = {}\n')
for n, t in T.items():
    t.save(f'tokenizers/{n}.json', pretty=False)
    out.write(f'made.{n} = {{\n')
    for s in texts:
        e = t.encode(s)
        out.write(
            f'  {{{listed(e.ids)},\n    {listed(bytes_of(s, o) for o in e.offsets)},\n    {quoted(t.decode(e.ids))}}},\n'
        )
    p = t.encode(texts[0], texts[3])
    out.write(f'  pair = {{{listed(p.ids)}, {listed(p.type_ids)}}},\n}}\n')
out.write('return {texts = texts, made = made}\n')
