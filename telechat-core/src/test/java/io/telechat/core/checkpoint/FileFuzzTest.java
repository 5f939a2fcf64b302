// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.telechat.core.InvalidModelException;
import io.telechat.core.testing.Goldens;
import io.telechat.core.testing.TinyGguf;
import io.telechat.core.tokenizer.SentencePieceModel;
import io.telechat.core.tokenizer.SentencePieceTokenizer;
import io.telechat.core.tokenizer.SentencePieceWriter;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.core.tokenizer.TokenizerFiles;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Thousands of mutated valid files, the same ones every time: reading either works or throws the library's own exception;
 * it never hangs, crashes, or takes memory beyond what the file has.
 */
@Tag("slow")
class FileFuzzTest {
    private static final int ROUNDS = 4_000;

    @TempDir
    Path directory;

    private interface Reader {
        void read(Path file) throws IOException;
    }

    /**
     * @param interesting bytes from the start, or with a negative sign from the end, that hold structure rather than data
     */
    private void fuzz(byte[] valid, String name, int interesting, Reader reader) throws IOException {
        SplittableRandom random = new SplittableRandom(name.hashCode());
        Path file = directory.resolve(name);
        int refused = 0;
        for (int round = 0; round < ROUNDS; round++) {
            Files.write(file, mutate(valid, interesting, random));
            try {
                reader.read(file);
            } catch (InvalidModelException e) {
                refused++;
                assertTrue(e.getMessage().contains(name), "the message names the file: " + e.getMessage());
                assertTrue(e.getMessage().lines().count() == 1, "the message is one line: " + e.getMessage());
            } catch (RuntimeException | Error e) {
                fail("round " + round + ": " + e, e);
            }
        }
        assertTrue(refused > ROUNDS / 10, "only " + refused + " mutants were refused");
    }

    private static byte[] mutate(byte[] valid, int interesting, SplittableRandom random) {
        byte[] bytes = valid.clone();
        int from = interesting < 0 ? Math.max(0, bytes.length + interesting) : 0;
        int span = Math.min(bytes.length, Math.abs(interesting));
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
            int at = from + random.nextInt(span);
            switch (random.nextInt(6)) {
                case 0 -> bytes[at] = (byte) random.nextInt(256);
                case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> bytes[at] = (byte) 0xff;
                case 3 -> bytes[at] = 0;
                case 4 -> {
                    int length = Math.min(1 + random.nextInt(8), bytes.length - at);
                    System.arraycopy(bytes, from + random.nextInt(Math.max(1, span - length)), bytes, at, length);
                }
                default -> {
                    if (random.nextInt(4) == 0) {
                        return Arrays.copyOf(bytes, random.nextInt(bytes.length));
                    }
                    bytes[at]++;
                }
            }
        }
        return bytes;
    }

    @Test
    void safetensors() throws IOException {
        byte[] valid =
                Files.readAllBytes(Goldens.committed("telechat2_growing_alpha").resolve("model.safetensors"));
        fuzz(valid, "model.safetensors", 3000, file -> {
            try (Arena arena = Arena.ofConfined()) {
                SafetensorsFile opened = SafetensorsFile.open(file, arena);
                opened.tensors().forEach((name, info) -> {
                    if (info.dtype().isFloat()) {
                        opened.tensor(name).toFloats();
                    }
                });
            }
        });
    }

    @Test
    void pyTorchPickle() throws IOException {
        byte[] valid =
                Files.readAllBytes(Goldens.committed("telechat52b_bin_bf16").resolve("pytorch_model.bin"));
        fuzz(valid, "pickle.bin", 4000, file -> {
            try (Arena arena = Arena.ofConfined()) {
                PyTorchFile opened = PyTorchFile.open(file, arena);
                opened.tensors().forEach((name, info) -> {
                    if (info.dtype().isFloat()) {
                        opened.tensor(name).toFloats();
                    }
                });
            }
        });
    }

    @Test
    void pyTorchZipDirectory() throws IOException {
        byte[] valid = Files.readAllBytes(
                Goldens.committed("telechat52b_bin_fp16_sharded").resolve("pytorch_model-00001-of-00002.bin"));
        fuzz(valid, "directory.bin", -2000, file -> {
            try (Arena arena = Arena.ofConfined()) {
                PyTorchFile.open(file, arena);
            }
        });
    }

    @Test
    void tokenizerModel() throws IOException {
        Path file = directory.resolve("valid.model");
        SentencePieceWriter.write(file, SentencePieceWriter.byteVocabulary());
        byte[] valid = Files.readAllBytes(file);
        fuzz(valid, "tokenizer.model", valid.length, mutant -> {
            SentencePieceTokenizer tokenizer =
                    new SentencePieceTokenizer(SentencePieceModel.read(mutant), List.of(), false);
            tokenizer.decode(tokenizer.encode("some text 中文"));
        });
    }

    @Test
    void tiktoken() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int b = 0; b < 256; b++) {
            lines.append(Base64.getEncoder().encodeToString(new byte[] {(byte) b}))
                    .append(' ')
                    .append(b)
                    .append('\n');
        }
        lines.append("YWI= 256\nYWJj 257\n");
        fuzz(lines.toString().getBytes(StandardCharsets.US_ASCII), "qwen.tiktoken", lines.length(), this::useTokenizer);
    }

    @Test
    void tokenizerJson() throws IOException {
        for (String name : List.of("bytes.json", "characters.json")) {
            byte[] valid;
            try (InputStream in = FileFuzzTest.class.getResourceAsStream("/tokenizer-json/" + name)) {
                valid = in.readAllBytes();
            }
            fuzz(valid, "tokenizer.json", valid.length, this::useTokenizer);
        }
    }

    private void useTokenizer(Path mutant) {
        Tokenizer tokenizer = TokenizerFiles.load(mutant.getParent()).tokenizer();
        tokenizer.decode(tokenizer.encode("some text, it's 12 中文 Hello"));
        tokenizer.newDecoder().add(0);
        tokenizer.bytes(0);
    }

    @Test
    void gguf() throws IOException {
        byte[] valid = TinyGguf.whole();
        fuzz(valid, "model.gguf", 10_000, file -> {
            ModelFiles files = ModelFiles.of(file);
            files.json("config.json");
            try (Checkpoint checkpoint = Checkpoint.open(file)) {
                checkpoint.names().forEach(checkpoint::tensor);
            }
            if (TokenizerFiles.file(file).isPresent()) {
                TokenizerFiles.load(file).tokenizer().encode("some text 中文");
            }
        });
    }
}
