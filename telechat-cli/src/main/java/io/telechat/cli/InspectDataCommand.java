// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.train.data.DataInspection;
import io.telechat.train.data.TrainingData;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code telechat inspect-data}. */
@Command(
        name = "inspect-data",
        description = {
            "Look at training samples, and check them: no padding is trained, every answer begins behind its mark and"
                    + " has an end token.",
            "Trained tokens are shown in colour (in brackets where there is none)."
        },
        mixinStandardHelpOptions = true)
final class InspectDataCommand implements Callable<Integer> {
    private static final String TRAINED = "\u001b[32m";
    private static final String PLAIN = "\u001b[0m";
    private static final int BAR = 50;

    @Parameters(
            paramLabel = "DIR",
            description = "made by process-data, or with train_data_*.safetensors of input_ids and loss_mask")
    private Path directory;

    @Option(names = "--sample", paramLabel = "N", description = "show this sample, from 0")
    private Optional<Integer> sample = Optional.empty();

    @Option(names = "--ids", description = "with --sample, show ids and pieces, a token a line")
    private boolean ids;

    @Option(
            names = "--tokenizer-path",
            paramLabel = "DIR",
            description = "directory of the tokenizer (default: the one the data were made with)")
    private Optional<Path> tokenizerPath = Optional.empty();

    @Option(names = "--json", description = "print one JSON object")
    private boolean json;

    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() {
        try (TrainingData data = TrainingData.open(directory)) {
            tokenizerPath.ifPresent(data::requireTokenizer);
            Optional<ChatTokenizer> tokenizer = tokenizerPath
                    .or(() -> data.tokenizer().filter(Files::isDirectory))
                    .map(ChatTokenizer::load);
            if (sample.isPresent()) {
                show(data, sample.get(), tokenizer);
                return ExitCode.OK;
            }
            DataInspection inspection = DataInspection.of(data, tokenizer);
            if (json) {
                System.out.println(Json.line(Json.tree(inspection)));
            } else {
                print(data, inspection);
            }
            if (!inspection.problems().isEmpty()) {
                throw new InvalidModelException(
                        "%s: %s", directory, inspection.problems().getFirst());
            }
            return ExitCode.OK;
        }
    }

    private static void print(TrainingData data, DataInspection inspection) {
        System.out.printf(
                "%,d samples of %,d tokens: %,d dialogs, %,d tokens (%.1f %% filled), %,d answers, %.1f %% of the"
                        + " tokens trained%n",
                inspection.samples(),
                data.rowTokens(),
                inspection.dialogs(),
                inspection.tokens(),
                100.0 * inspection.tokens() / inspection.samples() / data.rowTokens(),
                inspection.answers(),
                100.0 * inspection.trainedTokens() / Math.max(1, inspection.tokens()));
        long most = Arrays.stream(inspection.lengths()).max().orElse(1);
        System.out.println("length of dialogs, tokens:");
        for (int i = 0; i < inspection.lengths().length; i++) {
            System.out.printf(
                    "  up to %,7d %,9d %s%n",
                    (i + 1) * data.rowTokens() / inspection.lengths().length,
                    inspection.lengths()[i],
                    "#".repeat((int) (BAR * inspection.lengths()[i] / Math.max(1, most))));
        }
        inspection.problems().forEach(p -> System.out.println("problem: " + p));
        if (inspection.problems().isEmpty()) {
            System.out.println("no problems found");
        }
    }

    private void show(TrainingData data, int index, Optional<ChatTokenizer> tokenizer) {
        if (index < 0 || index >= data.samples()) {
            throw new InvalidRequestException("--sample %d: there are %,d samples, from 0", index, data.samples());
        }
        TrainingData.Sample row = data.sample(index);
        if (json) {
            System.out.println(Json.line(object(row, tokenizer)));
        } else if (ids || tokenizer.isEmpty()) {
            for (int i = 0; i < row.ids().length; i++) {
                int id = row.ids()[i];
                String piece = tokenizer.map(t -> t.tokenizer().piece(id)).orElse("");
                System.out.printf("%6d %3d %d %7d %s%n", i, row.sequences()[i], row.mask()[i], id, piece);
            }
        } else {
            showText(row, tokenizer.get());
        }
    }

    private void showText(TrainingData.Sample row, ChatTokenizer tokenizer) {
        boolean colored = global.colored();
        int length = row.ids().length;
        for (int from = 0; from < length; ) {
            int to = from + 1;
            while (to < length && row.sequences()[to] == row.sequences()[from] && row.mask()[to] == row.mask()[from]) {
                to++;
            }
            boolean begins = from == 0 || row.sequences()[from] != row.sequences()[from - 1];
            if (row.sequences()[from] == 0) {
                System.out.printf("--- %,d places of padding%n", to - from);
            } else {
                if (begins) {
                    System.out.printf("%s--- dialog %d, from %d%n", from == 0 ? "" : "\n", row.sequences()[from], from);
                }
                String text = text(tokenizer.tokenizer(), Arrays.copyOfRange(row.ids(), from, to));
                boolean trained = row.mask()[from] == 1;
                System.out.print(trained ? (colored ? TRAINED + text + PLAIN : "[" + text + "]") : text);
            }
            from = to;
        }
        System.out.println();
    }

    /** Decoding leaves control pieces out, such as role marks; here they are what is looked for. */
    private static String text(Tokenizer tokenizer, int... ids) {
        StringBuilder text = new StringBuilder();
        int begin = 0;
        for (int i = 0; i < ids.length; i++) {
            String piece = tokenizer.piece(ids[i]);
            if (!piece.isEmpty() && tokenizer.decode(ids[i]).isEmpty() && piece.startsWith("<")) {
                text.append(tokenizer.decode(Arrays.copyOfRange(ids, begin, i))).append(piece);
                begin = i + 1;
            }
        }
        return text.append(tokenizer.decode(Arrays.copyOfRange(ids, begin, ids.length)))
                .toString();
    }

    private static ObjectNode object(TrainingData.Sample row, Optional<ChatTokenizer> tokenizer) {
        ObjectNode object = Json.object();
        ArrayNode idNodes = object.putArray("input_ids");
        Arrays.stream(row.ids()).forEach(idNodes::add);
        ArrayNode mask = object.putArray("loss_mask");
        for (byte m : row.mask()) {
            mask.add(m);
        }
        ArrayNode sequences = object.putArray("sequence_ids");
        Arrays.stream(row.sequences()).forEach(sequences::add);
        tokenizer.ifPresent(t -> {
            ArrayNode pieces = object.putArray("pieces");
            Arrays.stream(row.ids()).mapToObj(t.tokenizer()::piece).forEach(pieces::add);
        });
        return object;
    }
}
