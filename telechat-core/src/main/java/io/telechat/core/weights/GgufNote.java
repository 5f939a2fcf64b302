// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.weights;

import io.telechat.core.Message;
import io.telechat.core.checkpoint.Checkpoint;
import io.telechat.core.gguf.GgufType;
import io.telechat.core.tensor.DType;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** What people are told whose GGUF file is quantized in a way that is not computed with. */
final class GgufNote {
    private GgufNote() {}

    /** Nothing if nothing was rounded. */
    static Optional<Message> of(Checkpoint checkpoint) {
        Map<GgufType, DType> rounded = checkpoint.conversions();
        rounded.values().removeIf(type -> type == DType.F32);
        return rounded.isEmpty()
                ? Optional.empty()
                : Optional.of(Message.of(
                        "%s: its weights are rounded once more while they are loaded, because telechat computes with"
                                + " layouts of its own (%s); --weights q8 loses least by that and f32 nothing, but both"
                                + " may need more memory",
                        checkpoint.directory(),
                        rounded.entrySet().stream()
                                .map(e -> e.getKey() + " -> " + e.getValue())
                                .collect(Collectors.joining(", "))));
    }
}
