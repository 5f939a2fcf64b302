// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.testing;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;

/** Llama of one layer in a GGUF file that is written byte by byte. */
public final class TinyGguf {
    public static final int HIDDEN = 32;
    public static final int HEAD_DIM = 8;
    public static final int VOCABULARY = 272;
    private static final int KV = 16;
    private static final int FFN = 32;
    private static final int Q8_0 = 8;

    private TinyGguf() {}

    /** What a file of this architecture must say. */
    public static GgufBytes numbers(String architecture) {
        return new GgufBytes()
                .string("general.architecture", architecture)
                .uint32(architecture + ".context_length", 128)
                .uint32(architecture + ".embedding_length", HIDDEN)
                .uint32(architecture + ".block_count", 1)
                .uint32(architecture + ".feed_forward_length", FFN)
                .uint32(architecture + ".attention.head_count", HIDDEN / HEAD_DIM)
                .uint32(architecture + ".attention.head_count_kv", KV / HEAD_DIM)
                .float32(architecture + ".attention.layer_norm_rms_epsilon", 1e-5f);
    }

    /** A SentencePiece vocabulary of bytes and a few words. */
    public static GgufBytes tokenizer(GgufBytes file) {
        List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        List<Integer> types = new ArrayList<>(List.of(2, 3, 3));
        for (int b = 0; b < 256; b++) {
            tokens.add("<0x%02X>".formatted(b));
            types.add(6);
        }
        List<Float> scores = new ArrayList<>(Collections.nCopies(tokens.size(), 0f));
        for (String piece : List.of("▁", "a", "b", "▁a", "ab", "▁ab")) {
            scores.add(-(float) tokens.size());
            tokens.add(piece);
            types.add(1);
        }
        return file.string("tokenizer.ggml.model", "llama")
                .strings("tokenizer.ggml.tokens", tokens)
                .float32s("tokenizer.ggml.scores", scores)
                .int32s("tokenizer.ggml.token_type", types)
                .uint32("tokenizer.ggml.bos_token_id", 1)
                .uint32("tokenizer.ggml.eos_token_id", 2)
                .string("tokenizer.chat_template", "{{ messages[0].content }}");
    }

    /** Tokens are "h" + "i" and the like: a character for each byte, five pieces that merges make, and marks. */
    public static GgufBytes byteLevel(String architecture, String pre) {
        List<String> tokens = new ArrayList<>();
        for (int b = 0; b < 256; b++) {
            tokens.add(character(b));
        }
        List<String> pieces = List.of("hi", "Ġhi", "hihi", "12", "123");
        tokens.addAll(pieces);
        List<Integer> types = new ArrayList<>(Collections.nCopies(tokens.size(), 1));
        tokens.addAll(List.of("<|end|>", "<think>", "[PAD263]"));
        types.addAll(List.of(3, 4, 5));
        GgufBytes file = numbers(architecture)
                .string("tokenizer.ggml.model", "gpt2")
                .strings("tokenizer.ggml.tokens", tokens)
                .int32s("tokenizer.ggml.token_type", types)
                .strings("tokenizer.ggml.merges", List.of("h i", "Ġ hi", "hi hi", "1 2", "12 3"))
                .uint32("tokenizer.ggml.eos_token_id", 261)
                .string("tokenizer.chat_template", "{% for m in messages %}{% endfor %}");
        return pre.isEmpty() ? file : file.string("tokenizer.ggml.pre", pre);
    }

    /** What stands for a byte, as GPT-2 has it: itself where Latin-1 shows it, otherwise the next from U+0100 on. */
    private static String character(int value) {
        int shifted = 256;
        for (int b = 0; b <= value; b++) {
            boolean isShown = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
            if (b == value) {
                return Character.toString(isShown ? b : shifted);
            }
            shifted += isShown ? 0 : 1;
        }
        throw new IllegalArgumentException();
    }

    /** Its tensors, matrices as Q8_0 and tied head. */
    public static GgufBytes tensors(GgufBytes file) {
        SplittableRandom random = new SplittableRandom(5);
        matrix(file, random, "token_embd.weight", VOCABULARY, HIDDEN);
        vector(file, "output_norm.weight");
        vector(file, "blk.0.attn_norm.weight");
        matrix(file, random, "blk.0.attn_q.weight", HIDDEN, HIDDEN);
        matrix(file, random, "blk.0.attn_k.weight", KV, HIDDEN);
        matrix(file, random, "blk.0.attn_v.weight", KV, HIDDEN);
        matrix(file, random, "blk.0.attn_output.weight", HIDDEN, HIDDEN);
        vector(file, "blk.0.ffn_norm.weight");
        matrix(file, random, "blk.0.ffn_gate.weight", FFN, HIDDEN);
        matrix(file, random, "blk.0.ffn_up.weight", FFN, HIDDEN);
        matrix(file, random, "blk.0.ffn_down.weight", HIDDEN, FFN);
        return file;
    }

    /** All of it. */
    public static byte[] whole() {
        return tensors(tokenizer(numbers("llama"))).toArray();
    }

    private static void vector(GgufBytes file, String name) {
        float[] ones = new float[HIDDEN];
        Arrays.fill(ones, 1);
        file.floats(name, ones, HIDDEN);
    }

    private static void matrix(GgufBytes file, SplittableRandom random, String name, int rows, int columns) {
        byte[] data = new byte[rows * columns / 32 * 34];
        random.nextBytes(data);
        for (int block = 0; block < data.length; block += 34) {
            short scale = Float.floatToFloat16((float) random.nextDouble(0.0005, 0.003));
            data[block] = (byte) scale;
            data[block + 1] = (byte) (scale >> 8);
        }
        file.tensor(name, Q8_0, data, columns, rows);
    }
}
