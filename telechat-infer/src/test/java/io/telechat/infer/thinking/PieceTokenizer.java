// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.thinking;

import io.telechat.core.tokenizer.IncrementalDecoder;
import io.telechat.core.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/** A vocabulary of given pieces; a text is cut into the longest there are. Marks have no text, as added tokens in a stream. */
record PieceTokenizer(List<String> pieces, Set<String> marks) implements Tokenizer {
    @Override
    public int[] encode(String text) {
        List<Integer> ids = new ArrayList<>();
        for (int i = 0; i < text.length(); ) {
            int best = -1;
            for (int id = 0; id < pieces.size(); id++) {
                boolean longer =
                        best < 0 || pieces.get(id).length() > pieces.get(best).length();
                best = longer && text.startsWith(pieces.get(id), i) ? id : best;
            }
            ids.add(best);
            i += pieces.get(best).length();
        }
        return ids.stream().mapToInt(i -> i).toArray();
    }

    @Override
    public int[] encodeOrdinary(String text) {
        throw new UnsupportedOperationException("is not asked for");
    }

    private String text(int id) {
        return marks.contains(pieces.get(id)) ? "" : pieces.get(id);
    }

    @Override
    public String decode(int... ids) {
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(pieces.get(id));
        }
        return text.toString();
    }

    @Override
    public IncrementalDecoder newDecoder(Set<Integer> shown) {
        return new IncrementalDecoder() {
            @Override
            public String add(int id) {
                return text(id);
            }

            @Override
            public String finish() {
                return "";
            }
        };
    }

    @Override
    public int size() {
        return pieces.size();
    }

    @Override
    public boolean has(int id) {
        return id >= 0 && id < size();
    }

    @Override
    public byte[] bytes(int id) {
        return text(id).getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public String piece(int id) {
        return pieces.get(id);
    }

    @Override
    public OptionalInt id(String piece) {
        int id = pieces.indexOf(piece);
        return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
    }
}
