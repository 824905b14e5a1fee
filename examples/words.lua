-- Words of Shakespeare as vectors, by which words stand near each other (skip-grams), drawn in a plane.
-- Run:  ./bootstrap run examples/words.lua [--steps N] [--words N] [--seed N] [--save FILE]
local nl = require "nnlua"
local nn, F, optim = nl.nn, nl.F, nl.optim

local parser = nl.argparse.ArgumentParser {description = "Vectors of words, learnt from a text."}
parser:add_argument("--steps", {default = 3000, help = "steps of training, each with 256 pairs of words"})
parser:add_argument("--words", {default = 400, help = "how many of the most frequent words to learn"})
parser:add_argument("--seed", {default = 0, help = "of all random numbers"})
parser:add_argument("--save", {metavar = "FILE", help = "write the plot there, as PNG or SVG"})
local options = parser:parse_args()

local WIDTH <const>, REACH <const>, OTHERS <const> = 32, 3, 8 -- of a vector, of a word's company, drawn for contrast

-- ----------------------------------------------------------------- the text

local folder = arg[0]:match "^(.*)/[^/]*$" or "."
local file <close> = assert(io.open(folder .. "/data/tinyshakespeare.txt"))
local counts, text = {}, {}
for word in file:read("a"):lower():gmatch "%a[%a']*" do
  counts[word] = (counts[word] or 0) + 1
  text[#text + 1] = word
end
local words = {}
for word in pairs(counts) do words[#words + 1] = word end
table.sort(words, function(a, b) return counts[a] > counts[b] or counts[a] == counts[b] and a < b end)
local numbers = {}
for i = 1, math.min(options.words, #words) do numbers[words[i]] = i end
local n = math.min(options.words, #words)

-- Frequent words are left out at random, as T. Mikolov and others do, "Distributed representations of words", 2013.
nl.manual_seed(options.seed)
local chances, kept = nl.rand(#text):tolist(), {}
for i, word in ipairs(text) do
  local number = numbers[word]
  if number and chances[i] < math.sqrt(1e-3 * #text / counts[word]) then kept[#kept + 1] = number end
end
kept = nl.tensor(kept)

-- ------------------------------------------------------------------ training

local near, far = nn.Embedding(n, WIDTH), nn.Embedding(n, WIDTH)
nn.init.normal_(near.weight, 0, 0.1)
nn.init.zeros_(far.weight)
local optimizer = optim.Adam({near:parameters(), far:parameters()}, {lr = 0.01})
local ctrl_c = nl.utils.interrupts() -- Ctrl-C ends the training, and shows what it came to
local progress = nl.progress(options.steps, {desc = "training"})
for _ in progress do
  local places = nl.randint(REACH + 1, #kept - REACH, {256})
  local steps = nl.randint(1, REACH + 1, {256}) * (nl.randint(0, 2, {256}) * 2 - 1)
  local word, company = near(kept[places]), far(kept[places + steps])
  local others = far(nl.randint(1, n + 1, {256, OTHERS}))
  local loss = -F.logsigmoid((word * company):sum(2)):mean()
    - F.logsigmoid(-(others * word:unsqueeze(2)):sum(3)):sum(2):mean()
  optimizer:zero_grad()
  loss:backward()
  optimizer:step()
  progress:set("loss", loss)
  if ctrl_c:asked() then break end
end
progress:close()
ctrl_c:close()

-- -------------------------------------------------------------------- seeing

local vectors = F.normalize(near.weight:detach(), {dim = 2})

for _, word in ipairs {"king", "love", "he", "thee", "death"} do
  if numbers[word] then
    local _, nearest = (vectors:mv(vectors[numbers[word]])):topk(6)
    local list = {}
    for i, number in ipairs(nearest:tolist()) do
      if i > 1 then list[#list + 1] = words[number] end
    end
    print(("%-6s %s"):format(word, table.concat(list, ", ")))
  end
end

-- The two directions in which the vectors differ most.
local centred = vectors - vectors:mean(1)
local _, _, directions = nl.linalg.svd(centred, false)
local points = centred:matmul(directions[{{1, 2}}]:t())
local kinds = {pronouns = {"i", "you", "he", "she", "we", "they", "thou", "me", "him", "her", "us", "them", "thee"},
               verbs = {"is", "was", "are", "be", "have", "hath", "do", "will", "shall", "would", "must", "may", "can"},
               people = {"king", "queen", "lord", "lady", "sir", "father", "son", "brother", "prince", "duke", "man"}}
local figure
for _, kind in ipairs {"pronouns", "verbs", "people"} do
  local rows, texts = {}, {}
  for _, word in ipairs(kinds[kind]) do
    if numbers[word] then rows[#rows + 1], texts[#texts + 1] = numbers[word], word end
  end
  local chosen = points[nl.tensor(rows, {dtype = nl.int64})]
  local style = {label = kind, texts = texts, title = "words in a plane"}
  if figure then figure:scatter(chosen, style) else figure = nl.plot.scatter(chosen, style) end
end
print(figure)
if options.save then figure:save(options.save) end
