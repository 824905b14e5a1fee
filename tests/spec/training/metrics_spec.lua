-- nl.metrics. Where nothing else is said, values are scikit-learn 1.9.1's for the same data with labels from 0: of
-- precision_score and the like with zero_division = 0, roc_auc_score of each class that there is, and for the macro
-- accuracy balanced_accuracy_score. Rows of scores have ties; class 3 is never right, class 4 isn't there at all.
local nl = require "nnlua"

local metrics = nl.metrics

local scores = nl.tensor {
  {0.5, 0.25, 0.25, 0.0}, {0.0, 0.75, 0.75, 0.25}, {0.25, 1.0, 0.0, 0.5}, {0.75, 0.75, 0.25, 0.0},
  {0.25, 0.5, 1.0, 0.0}, {1.0, 0.0, 0.5, 0.25}, {0.5, 1.0, 0.25, 0.75}, {0.0, 0.25, 0.75, 0.5},
}
local labels = nl.tensor {1, 2, 2, 2, 1, 1, 1, 2}

local function value(metric, x, y)
  return metric:update(x or scores, y or labels):compute()
end

local function near(expected, found, what)
  if type(expected) == "table" then
    found = nl.is_tensor(found) and found:tolist() or found
    assert.equal(#expected, #found, what)
    for i, one in ipairs(expected) do near(one, found[i], what) end
  elseif expected ~= expected then
    assert.is_true(found ~= found, what)
  else
    assert.near(expected, found, 1e-6, what)
  end
end

local expected_of = {
  Precision = {micro = 1 / 2, macro = 4 / 9, weighted = 2 / 3, none = {2 / 3, 2 / 3, 0, 0}},
  Recall = {micro = 1 / 2, macro = 1 / 3, weighted = 1 / 2, none = {1 / 2, 1 / 2, 0, 0}},
  F1Score = {micro = 1 / 2, macro = 8 / 21, weighted = 4 / 7, none = {4 / 7, 4 / 7, 0, 0}},
  Accuracy = {micro = 1 / 2, macro = 1 / 2, weighted = 1 / 2, none = {1 / 2, 1 / 2, 0, 0}},
}

describe("a metric of classes", function()
  it("is what scikit-learn's is, in each average", function()
    for name, expected in pairs(expected_of) do
      for average, wanted in pairs(expected) do
        near(wanted, value(metrics[name] {average = average}), name)
        near(wanted, value(metrics[name] {average = average, num_classes = 4}, scores:argmax(2)), name)
      end
    end
  end)

  it("takes any dimensions behind the classes, and leaves out ignore_index", function()
    local x = scores:view(2, 4, 4):transpose(2, 3) -- (N, C, d)
    near(1 / 2, value(metrics.Accuracy(), x, labels:view(2, 4)))
    near(4 / 9, value(metrics.Precision {average = "macro"}, x, labels:view(2, 4)))
    local some = labels:clone()
    some[1], some[2] = -100, -100
    near(2 / 6, value(metrics.Accuracy(), scores, some))
    some[{{1, 2}}] = 4
    near(2 / 6, value(metrics.Accuracy {ignore_index = 4}, scores, some))
  end)

  it("counts a confusion matrix, normalised by rows, columns or all", function()
    local counts = {{2, 1, 1, 0}, {1, 2, 1, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}}
    assert.same(counts, value(metrics.ConfusionMatrix()):tolist())
    assert.equal(nl.int64, value(metrics.ConfusionMatrix()).dtype)
    near({{1 / 2, 1 / 4, 1 / 4, 0}, {1 / 4, 1 / 2, 1 / 4, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}},
      value(metrics.ConfusionMatrix {normalize = "true"}))
    near({{2 / 3, 1 / 3, 1 / 2, 0}, {1 / 3, 2 / 3, 1 / 2, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}},
      value(metrics.ConfusionMatrix {normalize = "pred"}))
    near({{1 / 4, 1 / 8, 1 / 8, 0}, {1 / 8, 1 / 4, 1 / 8, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}},
      value(metrics.ConfusionMatrix {normalize = "all"}))
    local grows = metrics.ConfusionMatrix()
    grows:update(nl.tensor {1, 2}, nl.tensor {1, 1}):update(nl.tensor {3}, nl.tensor {2})
    assert.same({{1, 1, 0}, {0, 0, 1}, {0, 0, 0}}, grows:compute():tolist())
  end)

  it("takes one score for each item as yes or no", function()
    local yes = labels:eq(2)
    for name, wanted in pairs {Precision = 3 / 4, Recall = 3 / 4, F1Score = 3 / 4, Accuracy = 3 / 4, AUROC = 0.6875} do
      near(wanted, value(metrics[name](), scores:select(2, 2), yes), name)
      near(wanted, value(metrics[name](), scores:select(2, 2), yes:float()), name)
    end
    near(3 / 4, value(metrics.F1Score {average = "macro"}, scores:select(2, 2), yes))
    assert.same({{3, 1}, {1, 3}}, value(metrics.ConfusionMatrix(), scores:select(2, 2), yes):tolist())
    near(1.0, value(metrics.Recall {threshold = 0.1}, scores:select(2, 2), yes))
    near(0.0, value(metrics.Precision {threshold = 2}, scores:select(2, 2), yes))
  end)
end)

-- Whether a row is right: whether fewer than k scores are greater than the right one's, which is how ties fall in
-- torcheval's too.
describe("top-k", function()
  it("counts who has a greater score", function()
    local x = nl.tensor {{3, 2, 1, 0.5}, {1, 1, 1, 1}, {0, 1, 2, 3}, {1, 2, 2, 2}} + 0.0
    local y = nl.tensor {2, 4, 2, 1}
    for k, wanted in ipairs {1 / 4, 2 / 4, 3 / 4, 1} do
      if k > 1 then near(wanted, value(metrics.TopKAccuracy(k), x, y), k) end
    end
    near({0, 1 / 2, 0, 1}, value(metrics.Accuracy {top_k = 2, average = "none"}, x, y))
  end)

  it("never finds a row right whose score is nan", function()
    local nan = nl.nan
    near(0, value(metrics.TopKAccuracy(2), nl.tensor {{nan, 1, 0}, {nan, nan, nan}}, nl.tensor {1, 2}))
    near(0, value(metrics.TopKAccuracy(3), nl.tensor {{nan, 1, 0}}, nl.tensor {1}))
  end)
end)

describe("the area under the ROC curve", function()
  local y = nl.tensor {1, 2, 2, 2, 1, 1, 3, 2}

  it("is scikit-learn's, with ties, and has nan for a class that isn't there", function()
    local areas = {11 / 15, 0.6875, 2 / 7, nl.nan}
    near(areas, value(metrics.AUROC {average = "none"}, scores, y))
    near((areas[1] + areas[2] + areas[3]) / 3, value(metrics.AUROC(), scores, y))
    near(0.6544642857142856, value(metrics.AUROC {average = "weighted"}, scores, y))
  end)

  it("is nan where it can't be told", function()
    near(nl.nan, value(metrics.AUROC(), nl.tensor {0.1, 0.2}, nl.tensor {1, 1}))
    near(nl.nan, value(metrics.AUROC(), nl.tensor {0.1, nl.nan}, nl.tensor {0, 1}))
  end)
end)

describe("a mean", function()
  it("weighs numbers and elements", function()
    near((3 * 2 + 1 + 2 + 3) / 5, metrics.Mean():update(3, 2):update(nl.tensor {1, 2, 3}):compute())
    near((1 + 2 * 3) / 4, metrics.Mean():update(nl.tensor {1, 2}, nl.tensor {1, 3}):compute())
    near(nl.nan, metrics.Mean():update(nl.nan):compute())
  end)

  it("is that of the last values", function()
    local mean, found = metrics.RunningMean(3), {}
    for i, x in ipairs {1, 2, 3, 4, 8} do found[i] = mean:update(x):compute() end
    near({1, 1.5, 2, 3, 5}, found)
  end)

  it("is that of errors, weighted by item if that is wanted", function()
    local x, y = nl.tensor {{1, 2}, {3, 4}} + 0.0, nl.tensor {{1, 4}, {0, 4}} + 0.0
    near((4 + 9) / 4, value(metrics.MeanSquaredError(), x, y))
    near(((4 + 9) / 4) ^ 0.5, value(metrics.MeanSquaredError {squared = false}, x, y))
    near((2 + 3) / 4, value(metrics.MeanAbsoluteError(), x, y))
    near((4 * 1 + 9 * 3) / 8, metrics.MeanSquaredError():update(x, y, nl.tensor {1, 3}):compute())
    near((2 * 1 + 3 * 3) / 8, metrics.MeanAbsoluteError():update(x, y, nl.tensor {1, 3}):compute())
  end)

  it("is that of logarithms, which perplexity is e to", function()
    local logits = nl.tensor {{{0.0, 0.0}, {math.log(3), 0}}}
    near((2 * 4 / 3) ^ 0.5, value(metrics.Perplexity(), logits, nl.tensor {{1, 1}}))
    near(4.0, value(metrics.Perplexity(), logits, nl.tensor {{-100, 2}}))
  end)
end)

describe("every metric", function()
  local made = {
    Accuracy = {scores, labels}, TopKAccuracy = {scores, labels}, Precision = {scores, labels},
    Recall = {scores, labels}, F1Score = {scores, labels}, ConfusionMatrix = {scores, labels}, AUROC = {scores, labels},
    Mean = {scores, 2}, RunningMean = {scores}, MeanSquaredError = {scores, scores * 2},
    MeanAbsoluteError = {scores, scores * 2}, Perplexity = {scores, labels},
  }

  it("can be reset, saved in the middle and loaded, keeps no graph, and has nothing before the first batch", function()
    for name in pairs(require "nnlua.on_demand".names(metrics)) do
      local batch = assert(made[name], name)
      local metric, other = metrics[name](), metrics[name]()
      local nothing = metric:compute()
      assert.is_true(nothing ~= nothing or nl.is_tensor(nothing) and nothing:numel() == 0, name)
      assert.equal(metric, metric:update(table.unpack(batch)))
      local path = os.tmpname()
      nl.checkpoint.save(path, {metric = metric})
      metric:update(table.unpack(batch))
      nl.checkpoint.load(path, {metric = other})
      os.remove(path)
      other:update(table.unpack(batch))
      local function plain(v) return nl.is_tensor(v) and v:tolist() or v end
      assert.same(plain(metric:compute()), plain(other:compute()), name)
      local once = metrics[name]():update(batch[1]:clone():requires_grad_(), table.unpack(batch, 2)):compute()
      assert.same(plain(once), plain(metric:reset():update(table.unpack(batch)):compute()), name)
      assert.is_false(nl.is_tensor(once) and once.requires_grad, name)
    end
  end)

  it("says what it can't take", function()
    for text, f in pairs {
      ["metrics.Accuracy: target has the label 0; labels count from 1 to 4 (add 1 to labels that count from 0)"] =
        function() metrics.Accuracy():update(scores, labels - 1) end,
      ["metrics.Recall: target has the label 5; labels count from 1 to 4"] =
        function() metrics.Recall():update(scores, labels + 3) end,
      ["metrics.Accuracy: input has shape [8, 4], so target must have shape [8], not [4]"] =
        function() metrics.Accuracy():update(scores, labels[{{1, 4}}]) end,
      ["metrics.Accuracy: input must be a tensor, not a number"] = function() metrics.Accuracy():update(1, labels) end,
      ["metrics.F1Score: average must be 'micro', 'macro', 'weighted' or 'none', not 'mean'"] =
        function() metrics.F1Score {average = "mean"} end,
      ["metrics.Accuracy: top_k = 2 needs scores for all classes"] =
        function() metrics.Accuracy {top_k = 2}:update(labels, labels) end,
      ["metrics.AUROC: target must be 0 and 1, or booleans"] =
        function() metrics.AUROC():update(nl.ones(2), nl.tensor {1, 2}) end,
      ["metrics.MeanSquaredError: input has shape [2], target [3]: they must be the same"] =
        function() metrics.MeanSquaredError():update(nl.ones(2), nl.ones(3)) end,
      ["load_state_dict: what state_dict() of a metrics.Mean gave is wanted, not a number"] =
        function() metrics.Mean():load_state_dict(3) end,
    } do
      local _, message = pcall(f)
      assert.equal(text, (message:gsub("^[^\n:]*metrics_spec.lua:%d+: ", "")))
    end
  end)
end)

describe("a metric", function()
  it("is what it was after an update that failed, and takes one kind of batches", function()
    local metric = metrics.Precision()
    assert.error_matches(function() metric:update(nl.tensor {0.1, 0.9}, nl.tensor {1, 2}) end,
      "metrics.Precision: target must be 0 and 1, or booleans")
    local three = nl.tensor {{0.9, 0.1}, {0.9, 0.1}, {0.2, 0.8}}
    near(2 / 3, value(metric, three, nl.tensor {1, 2, 2}))
    for _, name in ipairs {"Accuracy", "Precision", "ConfusionMatrix"} do
      local binary, by_class = metrics[name](), metrics[name]()
      binary:update(nl.tensor {0.1, 0.9}, nl.tensor {0, 1})
      by_class:update(three, nl.tensor {1, 2, 2})
      local before, other = binary:state_dict(), by_class:state_dict()
      assert.error_matches(function() binary:update(three, nl.tensor {1, 2, 2}) end,
        "input has scores for each class, or labels, but batches before had one score for each item")
      assert.error_matches(function() by_class:update(nl.tensor {0.1, 0.9}, nl.tensor {0, 1}) end,
        "input has one score for each item, but batches before had scores for each class")
      for state, now in pairs {[before] = binary.state, [other] = by_class.state} do
        for key, one in pairs(state) do
          assert.is_true(nl.is_tensor(one) and nl.equal(one, now[key]) or one == now[key], name .. key)
        end
      end
    end
  end)

  it("refuses labels beyond reason and scores for no class", function()
    local one, large = nl.tensor {1}, nl.tensor {4000000000}
    assert.error_matches(function() metrics.ConfusionMatrix():update(one, large) end,
      "there is a label 4000000000: give num_classes")
    assert.error_matches(function() metrics.ConfusionMatrix({num_classes = 4000000000}):update(one, large) end,
      "a matrix of 4000000000 classes has too many elements")
    assert.error_matches(function() metrics.Accuracy():update(nl.rand(2, 0), nl.tensor {1, 1}) end,
      "input has scores for no class: its shape is %[2, 0%]")
  end)

  it("of ranks keeps scores of its own, and takes targets 0 and 1 alone", function()
    local x, y = nl.tensor({0.1, 0.9}, {dtype = nl.float64}), nl.tensor({0, 1}, {dtype = nl.float64})
    local metric = metrics.AUROC():update(x, y)
    x:fill_(0)
    y:fill_(0)
    assert.equal(1.0, metric:compute())
    for _, wrong in ipairs {0.5, nl.nan} do
      assert.error_matches(function() metrics.AUROC():update(x, nl.tensor {wrong, 1}) end,
        "target must be 0 and 1, or booleans")
    end
  end)

  it("of words takes labels of bytes as they are, and whole numbers alone", function()
    local target = nl.tensor({156, 3}, {dtype = nl.uint8}) -- 156 is -100 as a byte
    near(200.0, value(metrics.Perplexity(), nl.zeros(2, 200), target))
    assert.error_matches(function() metrics.Perplexity():update(nl.zeros(2, 9), nl.ones(2)) end,
      "target must be labels, whole numbers from 1")
  end)

  it("that is a mean broadcasts the value, too, or counts nothing", function()
    local metric = metrics.Mean():update(2.0, nl.tensor {1.0, 2.0})
    assert.equal(2.0, metric:compute())
    assert.is_false(pcall(metric.update, metric, nl.ones(2), nl.ones(3)))
    assert.same({6.0, 3.0}, {metric.state.sum, metric.state.weight})
  end)

  it("that is a running mean goes on with another window", function()
    local five = metrics.RunningMean(5)
    for i = 1, 7 do five:update(i) end
    for window, expected in pairs {[1] = 10, [2] = 8.5, [5] = 6.4, [8] = (3 + 4 + 5 + 6 + 7 + 10) / 6} do
      local other = metrics.RunningMean(window)
      other:load_state_dict(five:state_dict())
      near(expected, other:update(10):compute(), window)
    end
  end)

  it("takes a state of its own kind only, and keeps what it has else", function()
    local cases = {
      {metrics.Accuracy(), {classes = 1, binary = false, right = 3, support = nl.ones(1)}},
      {metrics.Accuracy(), {classes = 1, binary = 1, right = nl.ones(1), support = nl.ones(1)}},
      {metrics.Mean(), {sum = "a", weight = 1}}, {metrics.Mean(), 5}, {metrics.RunningMean(), {values = 1, next = 1}},
      {metrics.RunningMean(), {values = {"a"}, next = 1}}, {metrics.AUROC(), {scores = {1}, targets = {2}}},
      {metrics.AUROC(), {scores = {nl.ones(1)}, targets = {}}},
    }
    for i, case in ipairs(cases) do
      local before = case[1].state
      assert.error_matches(function() case[1]:load_state_dict(case[2]) end,
        "load_state_dict: what state_dict%(%) of a " .. case[1].__name .. " gave is wanted")
      assert.equal(before, case[1].state, i)
    end
  end)
end)
