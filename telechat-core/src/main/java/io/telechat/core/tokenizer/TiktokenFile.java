// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.tokenizer;

import io.telechat.core.InvalidModelException;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.Downloads;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Reads qwen.tiktoken, the vocabulary of the first Qwen: a line for each piece, {@code base64(bytes) rank}, where the rank is
 * both its id and which of two merges goes first. The special tokens, which the file leaves out, are those of
 * tokenization_qwen.py.
 */
final class TiktokenFile {
    private static final long MAX_BYTES = 64_000_000;
    private static final int MAX_LINE = 4096;
    private static final int BYTES = 256;
    private static final int EXTRA_TOKENS = 205;

    private final Path path;

    private TiktokenFile(Path path) {
        this.path = path;
    }

    /** The special tokens behind the last of {@code first} pieces. */
    private static List<AddedToken> specialTokens(int first) {
        List<String> names = new ArrayList<>(List.of("<|endoftext|>", "<|im_start|>", "<|im_end|>"));
        for (int i = 0; i < EXTRA_TOKENS; i++) {
            names.add("<|extra_" + i + "|>");
        }
        List<AddedToken> tokens = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            tokens.add(new AddedToken(first + i, names.get(i), false));
        }
        return tokens;
    }

    /** @throws InvalidModelException if the file is missing, damaged, or lacks a byte */
    static TokenizerFiles read(Path path) {
        TiktokenFile file = new TiktokenFile(path);
        byte[][] ordinary = file.pieces();
        int[] idOfByte = file.idsOfBytes(ordinary);
        List<AddedToken> added = specialTokens(ordinary.length);
        byte[][] bytes = Arrays.copyOf(ordinary, ordinary.length + added.size());
        String[] pieces = new String[bytes.length];
        Arrays.setAll(pieces, id -> id < ordinary.length ? ByteCharacters.piece(ordinary[id]) : "");
        Map<Integer, AddedToken> addedOf = new HashMap<>();
        for (AddedToken token : added) {
            pieces[token.id()] = token.content();
            bytes[token.id()] = Utf8.encode(token.content());
            addedOf.put(token.id(), token);
        }
        CharacterBorders borders = new CharacterBorders();
        Stream.of(ordinary).forEach(borders::add);
        ByteLevelBpe model = new ByteLevelBpe(idOfByte, new SpelledMerges(file.spelling(ordinary, idOfByte)), borders);
        PreTokenizer words = GptWords.qwen();
        AddedTokens none = new AddedTokens(path, List.of());
        Tokenizer tokenizer = new PipelineTokenizer(
                new PipelineTokenizer.Vocabulary(pieces, bytes, addedOf),
                Normalization.of(Normalizer.Form.NFC),
                new AddedTokens(path, added)::split,
                none::split,
                new PipelineTokenizer.Words(words, words),
                model.wholeWordsFirst(ordinary),
                new PipelineTokenizer.Joining(false, ' ', 0));
        return new TokenizerFiles(tokenizer, added, TokenizerFiles.Kind.TIKTOKEN, Optional.empty());
    }

    private byte[][] pieces() {
        List<byte[]> pieces = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        byte[] all = bytes();
        for (int from = 0; from < all.length; ) {
            int end = from;
            while (end < all.length && all[end] != '\n') {
                end++;
            }
            byte[] piece = piece(all, from, end, pieces.size());
            if (!seen.add(ByteCharacters.piece(piece))) {
                throw damaged(pieces.size(), Message.of("the same piece as in an earlier line"));
            }
            pieces.add(piece);
            from = end + 1;
        }
        return pieces.toArray(byte[][]::new);
    }

    private byte[] bytes() {
        try {
            if (Files.exists(path) && !Files.isRegularFile(path)) {
                throw new InvalidModelException("%s: is not a file", path);
            }
            if (Files.size(path) > MAX_BYTES) {
                throw new InvalidModelException("%s: too long for a tokenizer model", path);
            }
            byte[] bytes = Files.readAllBytes(path);
            Downloads.complaint(bytes).ifPresent(what -> {
                throw new InvalidModelException("%s: %s", path, what);
            });
            return bytes;
        } catch (NoSuchFileException e) {
            throw new InvalidModelException(e, "%s: file is missing", path);
        } catch (IOException e) {
            throw new InvalidModelException(e, "%s: cannot be read: %s", path, e.getMessage());
        }
    }

    /** The piece of the line {@code all[from … end)}, whose rank must be its index. */
    private byte[] piece(byte[] all, int from, int end, int index) {
        int blank = from;
        while (blank < end && all[blank] != ' ') {
            blank++;
        }
        if (end - from > MAX_LINE || blank == end || blank == from) {
            throw damaged(index, Message.of("not 'base64 rank'"));
        }
        try {
            String rank = new String(all, blank + 1, end - blank - 1, StandardCharsets.US_ASCII).strip();
            if (Integer.parseInt(rank) != index) {
                throw damaged(index, Message.of("ranks must be 0, 1, 2 …, and this is %s", rank));
            }
            return Base64.getDecoder().decode(Arrays.copyOfRange(all, from, blank));
        } catch (IllegalArgumentException e) {
            throw damaged(index, Message.of("not 'base64 rank'"));
        }
    }

    private InvalidModelException damaged(int index, Message what) {
        return new InvalidModelException("%s: line %d: %s; copy or download it again", path, index + 1, what);
    }

    private int[] idsOfBytes(byte[][] pieces) {
        int[] ids = new int[BYTES];
        Arrays.fill(ids, -1);
        for (int id = 0; id < pieces.length; id++) {
            if (pieces[id].length == 1) {
                ids[pieces[id][0] & 0xff] = id;
            }
        }
        for (int b = 0; b < BYTES; b++) {
            if (ids[b] < 0) {
                throw new InvalidModelException("%s: the vocabulary has no piece for byte %d", path, b);
            }
        }
        return ids;
    }

    private Spelling spelling(byte[][] pieces, int[] idOfByte) {
        int[] starts = new int[pieces.length + 1];
        for (int id = 0; id < pieces.length; id++) {
            starts[id + 1] = starts[id] + pieces[id].length;
        }
        if (starts[pieces.length] >= PairTable.KEY_LIMIT - 1) {
            throw new InvalidModelException("%s: its pieces are too long for a vocabulary", path);
        }
        int[] symbols = new int[starts[pieces.length]];
        for (int id = 0, at = 0; id < pieces.length; id++) {
            for (byte b : pieces[id]) {
                symbols[at++] = idOfByte[b & 0xff];
            }
        }
        return new Spelling(starts, symbols);
    }
}
