# SPDX-License-Identifier: Apache-2.0
"""A TeleChat-52B decoder in eager PyTorch with random weights, timed on the work that `telechat bench` times.

usage: torch_decoder.py CONFIG.json DTYPE PROMPT GENERATE DEPTH BATCH THREADS RUNS
DTYPE: f32 | bf16; THREADS: a number, or "cuda" for a GPU
Prints one line of JSON. A peer to compare with: nothing of telechat needs it.
"""
import json
import resource
import statistics
import sys
import time

import torch
import torch.nn.functional as F

path, dtype, *numbers = sys.argv[1:]
threads = numbers.pop(4)
prompt, generate, depth, batch, runs = map(int, numbers)
on_gpu = threads == "cuda"
if on_gpu:
    torch.set_default_device("cuda")
else:
    torch.set_num_threads(int(threads))


def now():
    if on_gpu:
        torch.cuda.synchronize()
    return time.perf_counter()


dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[dtype]
with open(path, encoding="utf-8") as file:
    config = json.load(file)
hidden, heads, ffn = config["n_embd"], config["n_head"], config["n_inner"]
dim, vocabulary = hidden // heads, config["vocab_size"]


def matrix(rows, columns):
    return (torch.randn(rows, columns) * 0.02).to(dtype)


layers = [
    dict(qkv=matrix(3 * hidden, hidden), out=matrix(hidden, hidden), up=matrix(2 * ffn, hidden), down=matrix(hidden, ffn))
    for _ in range(config["n_layer"])
]
embedding, head, ones = matrix(vocabulary, hidden), matrix(vocabulary, hidden), torch.ones(hidden, dtype=dtype)


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


def forward(tokens, caches, position):
    """tokens [batch, n]; caches: keys and values of each layer, [batch, heads, positions, dim], filled up to a position."""
    n = tokens.shape[1]
    angles = torch.outer(torch.arange(position, position + n), 1e4 ** (-torch.arange(0, dim, 2) / dim)).repeat(1, 2)
    cos, sin = angles.cos().to(dtype), angles.sin().to(dtype)
    x = F.embedding(tokens, embedding)
    for layer, (keys, values) in zip(layers, caches):
        qkv = F.linear(F.rms_norm(x, (hidden,), ones), layer["qkv"])
        q, k, v = (part.view(*tokens.shape, heads, dim).transpose(1, 2) for part in qkv.chunk(3, -1))
        end = position + n
        keys[:, :, position:end], values[:, :, position:end] = rotate(k, cos, sin), v
        attended = F.scaled_dot_product_attention(
            rotate(q, cos, sin), keys[:, :, :end], values[:, :, :end], is_causal=n > 1 and position == 0
        )
        x = x + F.linear(attended.transpose(1, 2).reshape(*tokens.shape, hidden), layer["out"])
        gate, up = F.linear(F.rms_norm(x, (hidden,), ones), layer["up"]).chunk(2, -1)
        x = x + F.linear(F.silu(gate) * up, layer["down"])
    return F.linear(F.rms_norm(x[:, -1], (hidden,), ones), head)


def empty(sequences, positions):
    return [torch.zeros(2, sequences, heads, positions, dim, dtype=dtype).unbind(0) for _ in layers]


prefills, decodes = [], []
with torch.inference_mode():
    for _ in range(runs + 1):
        start = now()
        forward(torch.randint(vocabulary, (1, prompt)), empty(1, prompt), 0)
        prefills.append(prompt / (now() - start))
        caches = empty(batch, depth + generate)
        next_tokens = forward(torch.randint(vocabulary, (batch, depth)), caches, 0).argmax(-1, keepdim=True)
        start = now()
        for step in range(generate):
            next_tokens = forward(next_tokens, caches, depth + step).argmax(-1, keepdim=True)
        decodes.append(batch * generate / (now() - start))
print(json.dumps({
    "peer": "PyTorch " + torch.__version__,
    "prefill_tok_s": round(statistics.median(prefills[1:]), 2),
    "decode_tok_s": round(statistics.median(decodes[1:]), 2),
    "peak_gpu_mib": torch.cuda.max_memory_allocated() // 2**20 if on_gpu else 0,
    "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
}))
