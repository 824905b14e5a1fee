-- Short-time Fourier transforms against transforms of pieces cut by hand; windows of signals in closed form.
local nl = require "nnlua"

local function near(a, b)
  return nl.allclose(a, b, {rtol = 1e-9, atol = 1e-9})
end

describe("short-time Fourier transforms", function()
  local x = nl.randn(2, 40, {dtype = nl.float64})
  local window = nl.hann_window(6, {dtype = nl.float64}) + 0.1

  it("are those of pieces times a window in their middle", function()
    local y = nl.stft(x, 8, 3, 6, window, false, {return_complex = true})
    assert.same({2, 5, 11}, {table.unpack(y.shape)})
    local whole = nl.constant_pad_nd(window, {1, 1})
    for piece = 1, 11 do
      local from = 3 * (piece - 1) + 1
      assert.is_true(near(y:select(3, piece), nl.fft.rfft(x[{{}, {from, from + 7}}] * whole)))
    end
  end)

  it("may begin where the window does, or half a piece before the signal", function()
    local aligned = nl.stft(x, 8, 3, 6, window, {center = false, align_to_window = true, return_complex = true})
    local padded = nl.constant_pad_nd(x, {1, 1})
    assert.is_true(near(aligned, nl.stft(padded, 8, 3, 6, window, {center = false, return_complex = true})))
    local centered = nl.stft(x, 8, 3, 6, window, {pad_mode = "constant", return_complex = true})
    padded = nl.constant_pad_nd(x, {4, 4})
    assert.is_true(near(centered, nl.stft(padded, 8, 3, 6, window, {center = false, return_complex = true})))
  end)

  it("go back to the signal", function()
    for _, options in ipairs {{center = true}, {normalized = true}, {onesided = false}} do
      options.return_complex = true
      local y = nl.stft(x, 8, 2, 6, window, options)
      options.return_complex = nil
      assert.is_true(near(x, nl.istft(y, 8, 2, 6, window, options)))
    end
    local z = nl.complex(x, x:flip {1})
    assert.is_true(near(z, nl.istft(nl.stft(z, 8, 2), 8, 2, {return_complex = true})))
    local y = nl.stft(x[1], 8, 2, {return_complex = true})
    assert.is_true(near(x[1][{{1, 30}}], nl.istft(y, 8, 2, {length = 30})))
    local longer = nl.istft(y, 8, 2, {length = 50})
    assert.is_true(near(x[1], longer[{{1, 40}}]))
    assert.is_true(near(nl.zeros(6, {dtype = nl.float64}), longer[{{45, 50}}]))
  end)

  it("say what does not fit", function()
    local function message(...) return select(2, pcall(...)) end
    assert.matches("return_complex must be given", message(nl.stft, x, 8))
    assert.matches("more than the signal's length", message(nl.stft, x, 50, {center = false, return_complex = true}))
    assert.matches("hop_length is 0", message(nl.stft, x, 8, 0, {return_complex = true}))
    assert.matches("win_length is 9", message(nl.stft, x, 8, 2, 9, {return_complex = true}))
    assert.matches("window has shape %(6%)", message(nl.stft, x, 8, 2, 8, window, {return_complex = true}))
    local y = nl.stft(x, 8, 2, {return_complex = true})
    assert.matches("5 frequencies: 6 are wanted", message(nl.istft, y, 10))
    assert.matches("a complex tensor is wanted", message(nl.istft, x, 8))
    assert.matches("add up to 0", message(nl.istft, y, 8, {window = nl.zeros(8, {dtype = nl.float64})}))
  end)
end)

describe("windows of signals", function()
  it("are those of nl.*_window, periodic and symmetric", function()
    for _, sym in ipairs {true, false} do
      for name, old in pairs {hann = nl.hann_window, hamming = nl.hamming_window, blackman = nl.blackman_window,
        bartlett = nl.bartlett_window, kaiser = nl.kaiser_window} do
        for M = 0, 9 do
          local options = {sym = sym, dtype = nl.float64}
          assert.is_true(near(nl.signal.windows[name](M, options), old(M, not sym, {dtype = nl.float64})))
        end
      end
    end
  end)

  it("are their formulas", function()
    local n = nl.arange(0, 7, {dtype = nl.float64})
    local options = {dtype = nl.float64}
    local windows = nl.signal.windows
    local function with(more)
      more.dtype = nl.float64
      return more
    end
    assert.is_true(near(windows.cosine(7, options), nl.sin((n + 0.5) * (math.pi / 7))))
    assert.is_true(near(windows.gaussian(7, with {std = 2}), nl.exp(-((n - 3) / 2) ^ 2 / 2)))
    assert.is_true(near(windows.exponential(7, with {tau = 2}), nl.exp(-nl.abs(n - 3) / 2)))
    assert.is_true(near(windows.exponential(7, with {tau = 2, sym = false, center = 1}), nl.exp(-nl.abs(n - 1) / 2)))
    local angle = n * (2 * math.pi / 6)
    assert.is_true(near(windows.general_cosine(7, with {a = {0.5, 0.3, 0.2}}),
      0.5 - 0.3 * nl.cos(angle) + 0.2 * nl.cos(2 * angle)))
    assert.is_true(near(windows.general_hamming(7, with {alpha = 0.6}), 0.6 - 0.4 * nl.cos(angle)))
  end)

  it("say what does not fit", function()
    assert.error_matches(function() nl.signal.windows.hann(-1) end, "hann: M must not be negative")
    assert.error_matches(function() nl.signal.windows.hann(3, {dtype = nl.int64}) end, "must be float32 or float64")
    assert.error_matches(function() nl.signal.windows.gaussian(3, {std = 0}) end, "std must be positive")
  end)
end)
