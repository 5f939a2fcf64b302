// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.Message;
import io.telechat.core.tensor.DType;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads element types; there is a class for each choice of them, which also lists it for completion. */
abstract class DTypeConverter implements ITypeConverter<DType>, Iterable<String> {
    private final List<DType> choice;

    private DTypeConverter(DType... choice) {
        this.choice = List.of(choice);
    }

    /** What parameters and activations are computed in. */
    static final class Computed extends DTypeConverter {
        Computed() {
            super(DType.F32, DType.BF16);
        }
    }

    /** What numbers are kept in between computations. */
    static final class Stored extends DTypeConverter {
        Stored() {
            super(DType.F32, DType.F16, DType.BF16);
        }
    }

    /** What keys and values are kept in. */
    static final class Cached extends DTypeConverter {
        Cached() {
            super(DType.F32, DType.F16, DType.BF16, DType.Q8);
        }
    }

    /** What weights can be rounded to. */
    static final class Quantized extends DTypeConverter {
        Quantized() {
            super(DType.Q8, DType.Q4);
        }
    }

    /** What weights can be loaded as. */
    static final class Loaded extends DTypeConverter {
        Loaded() {
            super(DType.Q8, DType.Q4, DType.BF16, DType.F32);
        }
    }

    @Override
    public DType convert(String text) {
        return choice.stream()
                .filter(type -> type.toString().equalsIgnoreCase(text))
                .findFirst()
                .or(() -> DType.quantizedByName(text).filter(choice::contains))
                .orElseThrow(() -> new TypeConversionException(Message.localized(
                        "'%s': choose %s",
                        text, choice.stream().map(DType::toString).collect(Collectors.joining(" or ")))));
    }

    @Override
    public Iterator<String> iterator() {
        return choice.stream().map(DType::toString).iterator();
    }
}
