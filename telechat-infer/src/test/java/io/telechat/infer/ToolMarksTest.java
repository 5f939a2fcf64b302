// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.testing.TinyModels;
import io.telechat.core.tokenizer.Piece;
import io.telechat.core.tokenizer.SentencePieceModel;
import io.telechat.core.tokenizer.SentencePieceWriter;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.GenerationOptions;
import io.telechat.infer.generation.TokenListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** In TeleChat3's vocabulary, calls are written between special tokens; those are no text elsewhere, but calls are read from it. */
class ToolMarksTest {
    @Test
    void specialTokensAroundCallsAreTextOfAnswers(@TempDir Path parent) throws IOException {
        Path directory = TinyModels.makeThinking(parent, "telechat3", 4);
        Path file = directory.resolve("tokenizer.model");
        List<Piece> pieces = new ArrayList<>(SentencePieceModel.read(file).pieces());
        int call = pieces.size();
        pieces.add(new Piece("<tool_call>", 0, Piece.Type.CONTROL));
        SentencePieceWriter.write(file, pieces);
        ObjectNode config = JsonNodeFactory.instance.objectNode();
        ObjectNode added = config.putObject("added_tokens_decoder");
        for (int id = 1; id < pieces.size(); id++) {
            if (pieces.get(id).type() == Piece.Type.CONTROL) {
                added.putObject(String.valueOf(id))
                        .put("content", pieces.get(id).text())
                        .put("special", true);
            }
        }
        Files.writeString(directory.resolve("tokenizer_config.json"), config.toString());
        try (ChatModel model = ChatModel.load(directory)) {
            GenerationOptions options = model.asChat(GenerationOptions.greedy())
                    .withMaxNewTokens(20)
                    .withMaxThinkingTokens(0);
            Map<Integer, Float> calls = Map.of(call, 100f);
            int[] prompt = model.tokenizer().encode("<_bot><think>\n");
            Generation called = model.generate(prompt, options.withLogitBias(calls), TokenListener.SILENT);
            assertEquals("<tool_call>".repeat(20 - 5), called.text());
            Generation thought =
                    model.generate(prompt, options.withMaxThinkingTokens(3).withLogitBias(calls), TokenListener.SILENT);
            assertEquals("<tool_call>".repeat(3), thought.thinking());
        }
    }
}
