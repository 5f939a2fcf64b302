// SPDX-License-Identifier: Apache-2.0
package io.telechat.core;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Which way the arrows between packages point, and what may be used where. */
@AnalyzeClasses(packages = "io.telechat.core", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureRulesTest {
    private static final String CORE = "io.telechat.core.";

    @ArchTest
    static final ArchRule packagesHaveNoCycles =
            slices().matching("io.telechat.core.(*)..").should().beFreeOfCycles();

    private static ArchRule mayUseOnly(String from, String... targets) {
        String[] allowed = new String[targets.length + 2];
        allowed[0] = "io.telechat.core";
        allowed[1] = CORE + from + "..";
        for (int i = 0; i < targets.length; i++) {
            allowed[i + 2] = CORE + targets[i];
        }
        return noClasses()
                .that()
                .resideInAPackage(CORE + from + "..")
                .should()
                .dependOnClassesThat(resideInAPackage("io.telechat..").and(not(resideInAnyPackage(allowed))));
    }

    @ArchTest
    static final ArchRule tensorTakesItsMemoryFromTheSystem = mayUseOnly("tensor", "ffi");

    @ArchTest
    static final ArchRule quantUsesTensors = mayUseOnly("quant", "tensor");

    @ArchTest
    static final ArchRule opsUseTensors = mayUseOnly("ops", "tensor");

    @ArchTest
    static final ArchRule tokenizerReadsFiles = mayUseOnly("tokenizer", "checkpoint", "gguf");

    @ArchTest
    static final ArchRule checkpointsUseTensors = mayUseOnly("checkpoint", "tensor", "quant", "gguf");

    @ArchTest
    static final ArchRule ggufIsAFormat = mayUseOnly("gguf", "tensor");

    @ArchTest
    static final ArchRule ffiUsesNothing = mayUseOnly("ffi");

    @ArchTest
    static final ArchRule chatUsesTokenizer = mayUseOnly("chat", "tokenizer", "checkpoint");

    @ArchTest
    static final ArchRule architecturesAreDescriptions = mayUseOnly("architecture", "ops", "tensor", "checkpoint");

    @ArchTest
    static final ArchRule modelUsesInterfacesOnly = mayUseOnly("model", "architecture", "ops", "tensor", "backend");

    @ArchTest
    static final ArchRule weightsAreLoadedIntoModels = mayUseOnly(
            "weights",
            "model",
            "architecture",
            "ops",
            "tensor",
            "quant",
            "checkpoint",
            "tokenizer",
            "gguf",
            "backend",
            "workers");

    @ArchTest
    static final ArchRule trainingIsTheModelBackward =
            mayUseOnly("training", "weights", "model", "architecture", "ops", "tensor", "checkpoint", "backend");

    @ArchTest
    static final ArchRule adaptersDecorateTheModel =
            mayUseOnly("lora", "weights", "model", "architecture", "ops", "tensor", "checkpoint", "backend", "workers");

    @ArchTest
    static final ArchRule partsAddUpOverRanks = mayUseOnly(
            "parallel", "comm", "checkpoint", "lora", "weights", "model", "architecture", "ops", "tensor", "backend");

    @ArchTest
    static final ArchRule ranksExchangeTensors = mayUseOnly("comm", "tensor", "ffi", "checkpoint");

    @ArchTest
    static final ArchRule pagesAreWrittenToFiles = mayUseOnly("html", "checkpoint");

    @ArchTest
    static final ArchRule workersUseNothing = mayUseOnly("workers");

    @ArchTest
    static final ArchRule backendsUseOps = mayUseOnly("backend", "comm", "ops", "tensor", "quant", "ffi", "workers");

    @ArchTest
    static final ArchRule backendsAreFoundByServiceLoaderOnly = noClasses()
            .that()
            .resideOutsideOfPackages(CORE + "backend.cpu..", CORE + "backend.nd4j..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(CORE + "backend.cpu..", CORE + "backend.nd4j..");

    @ArchTest
    static final ArchRule nd4jStaysInItsBackend = noClasses()
            .that()
            .resideOutsideOfPackage(CORE + "backend.nd4j")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.nd4j..");

    @ArchTest
    static final ArchRule vectorApiStaysInKernels = noClasses()
            .that()
            .resideOutsideOfPackage(CORE + "backend.cpu.kernel")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("jdk.incubator.vector..");

    /** Kernels in C do without the module of the Vector API, so what is used beside them must not name its classes. */
    @ArchTest
    static final ArchRule vectorApiIsNotNeededBesideKernelsInC = noClasses()
            .that()
            .resideOutsideOfPackage(CORE + "backend.cpu.kernel")
            .and()
            .doNotHaveSimpleName("CpuBackendProvider") // asks for its width only where it is on
            .should()
            .dependOnClassesThat(new DescribedPredicate<JavaClass>("name classes of the Vector API") {
                @Override
                public boolean test(JavaClass used) {
                    return !used.getSimpleName().equals("KernelTiers") // which looks whether it is on
                            && used.getDirectDependenciesFromSelf().stream()
                                    .anyMatch(d ->
                                            d.getTargetClass().getPackageName().startsWith("jdk.incubator.vector"));
                }
            });

    @ArchTest
    static final ArchRule downcallsStayInFfi = noClasses()
            .that()
            .resideOutsideOfPackage(CORE + "ffi")
            .should()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.lang.foreign.Linker");

    @ArchTest
    static final ArchRule tokenizerNeedsTheJdkAndJsonOnly = noClasses()
            .that()
            .resideInAPackage(CORE + "tokenizer..")
            .should()
            .dependOnClassesThat(not(resideInAnyPackage(
                    "java..",
                    "com.fasterxml.jackson.databind..",
                    "io.telechat.core",
                    CORE + "checkpoint",
                    CORE + "gguf",
                    CORE + "tokenizer..")));

    @ArchTest
    static final ArchRule nobodyPrintsOrExits = noClasses()
            .should()
            .accessField(System.class, "out")
            .orShould()
            .accessField(System.class, "err")
            .orShould()
            .callMethod(System.class, "exit", int.class);
}
