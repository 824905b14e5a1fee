-- Fourier transforms against their definition, for lengths of every kind: products of small primes, primes, both.
local nl = require "nnlua"

local lengths = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 16, 17, 24, 31, 32, 47, 49, 53, 60, 64, 77, 96, 101, 106, 120,
  121, 125, 128, 144, 211, 243, 256, 263, 326, 343, 512, 1009}

--- The sums of x [b, n], complex128, times e^(-2 pi i j k / n).
local function transformed(x)
  local n = x:size(2)
  local k = nl.arange(0, n, {dtype = nl.float64})
  local angles = nl.outer(k, k):remainder(n) * (-2 * math.pi / n)
  return x:matmul(nl.complex(angles:cos(), angles:sin()))
end

local function as_complex(x)
  return nl.complex(x, nl.zeros_like(x))
end

local function random(b, n)
  nl.manual_seed(n)
  return nl.complex(nl.randn(b, n, {dtype = nl.float64}), nl.randn(b, n, {dtype = nl.float64}))
end

local kinds = {
  {real = nl.float32, complex = nl.complex64, eps = 2 ^ -24},
  {real = nl.float64, complex = nl.complex128, eps = 2 ^ -53},
}

--- The error of a root mean square grows with the root of log n, at most with log n; sizes are those of the largest.
local function assert_near(got, wanted, kind, n, what)
  local off = (got:to(nl.complex128) - wanted):abs():max():item()
  local most = wanted:abs():max():item() * kind.eps * (4 + 4 * math.log(n, 2))
  assert(off <= most, ("%s of %d: off by %g, more than %g"):format(what, n, off, most))
end

--- Calls check(x, n, kind) with lines of all lengths, alone, fewer than a vector has and more.
local function for_lines(check)
  for _, n in ipairs(lengths) do
    for _, b in ipairs {1, 5, 19} do
      for _, kind in ipairs(kinds) do check(random(b, n):to(kind.complex), n, kind) end
    end
  end
end

describe("Fourier transforms", function()
  it("are the sums that define them, and back", function()
    for_lines(function(x, n, kind)
      local wanted = transformed(x:to(nl.complex128))
      assert_near(nl.fft.fft(x), wanted, kind, n, "fft")
      assert_near(nl.fft.fft(x:t():contiguous(), nil, 1):t(), wanted, kind, n, "fft of columns")
      assert_near(nl.fft.ifft(nl.fft.fft(x)), x:to(nl.complex128), kind, n, "ifft")
    end)
  end)

  it("of real numbers are those of complex ones, their first halves, and back", function()
    for_lines(function(x, n, kind)
      x = nl.real(x):contiguous()
      local exact = as_complex(x:to(nl.float64))
      local wanted = transformed(exact)
      local half = wanted:narrow(2, 1, n // 2 + 1)
      local columns = x:t():contiguous()
      assert_near(nl.fft.fft(x), wanted, kind, n, "fft")
      assert_near(nl.fft.rfft(x), half, kind, n, "rfft")
      assert_near(nl.fft.rfft(columns, nil, 1):t(), half, kind, n, "rfft of columns")
      assert_near(nl.fft.rfft(columns:t()), half, kind, n, "rfft of transposed rows")
      assert_near(nl.fft.irfft(nl.fft.rfft(x), n), exact, kind, n, "irfft")
      local back = nl.fft.irfft(nl.fft.rfft(columns, nil, 1):t():contiguous():t(), n, 1):t()
      assert_near(back, exact, kind, n, "irfft of columns")
    end)
  end)

  it("of long lines have the impulse and the wave", function()
    for _, n in ipairs {4096, 5000, 6561, 10007, 16384, 30030} do
      local impulse = nl.zeros(n, {dtype = nl.complex64})
      impulse[2] = 1
      local angles = nl.arange(0, n, {dtype = nl.float64}) * (-2 * math.pi / n)
      local wave = nl.complex(angles:cos(), angles:sin())
      assert_near(nl.fft.fft(impulse), wave, kinds[1], n, "impulse")
      assert_near(nl.fft.ifft(wave), impulse:to(nl.complex128), {eps = 2 ^ -50}, n, "wave")
    end
  end)

  it("do not depend on the number of threads", function()
    local threads = nl.get_num_threads()
    for _, shape in ipairs {{100, 128}, {37, 45}, {3, 4096}, {211, 11}} do
      local x = nl.randn(shape)
      nl.set_num_threads(1)
      local rows, columns = nl.fft.rfft(x), nl.fft.fft(x, nil, 1)
      nl.set_num_threads(4)
      local same = nl.equal(nl.fft.rfft(x), rows) and nl.equal(nl.fft.fft(x, nil, 1), columns)
      nl.set_num_threads(threads)
      assert.is_true(same)
    end
  end)

  it("keep rows apart: what isn't finite stays in its own", function()
    local x = nl.randn(20, 32)
    x[3] = math.huge
    x[4] = 0 / 0
    local y = nl.fft.irfft(nl.fft.rfft(x))
    assert.is_true(nl.isfinite(y:narrow(1, 5, 16)):all():item())
    assert.is_true(nl.isfinite(y:narrow(1, 1, 2)):all():item())
  end)

  it("lie with the transformed dimensions innermost", function()
    local x = nl.randn(3, 4, 5)
    assert.same({20, 1, 4}, {table.unpack(nl.fft.fft(x, nil, 2):stride())})
    assert.same({1, 15, 3}, {table.unpack(nl.fft.fft(x, nil, 1):stride())})
    assert.same({5, 15, 1}, {table.unpack(nl.fft.fftn(x, nil, {1, 3}):stride())})
  end)

  it("take no empty lines, dimensions twice, or halves, and say so", function()
    local function message(...) return select(2, pcall(...)) end
    assert.matches("at least 1", message(nl.fft.fft, nl.zeros(2, 0)))
    assert.matches("at least 1", message(nl.fft.irfft, nl.zeros(2, 1)))
    assert.matches("dimension 2 is given twice", message(nl.fft.fftn, nl.zeros(2, 2), nil, {2, -1}))
    assert.matches("float16 tensors are not taken", message(nl.fft.fft, nl.zeros(2, {dtype = nl.float16})))
    assert.matches("a real tensor is wanted", message(nl.fft.rfft, nl.zeros(2, {dtype = nl.complex64})))
    assert.matches("norm is 'twice'", message(nl.fft.fft, nl.zeros(2), {norm = "twice"}))
    assert.matches("without dimensions", message(nl.fft.fft, nl.tensor(1.0)))
  end)
end)
