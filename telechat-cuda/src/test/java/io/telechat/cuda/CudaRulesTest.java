// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** A backend knows formulas, not models; what calls NVIDIA's libraries knows neither. */
@AnalyzeClasses(packages = "io.telechat.cuda", importOptions = ImportOption.DoNotIncludeTests.class)
class CudaRulesTest {
    private static final String CORE = "io.telechat.core.";

    @ArchTest
    static final ArchRule theBackendUsesFormulas = noClasses()
            .should()
            .dependOnClassesThat(resideInAPackage("io.telechat..")
                    .and(not(resideInAnyPackage(
                            "io.telechat.cuda..",
                            "io.telechat.core",
                            CORE + "backend",
                            CORE + "comm",
                            CORE + "ops",
                            CORE + "tensor",
                            CORE + "quant",
                            CORE + "ffi",
                            CORE + "workers"))));

    @ArchTest
    static final ArchRule driverKnowsNoFormulas = noClasses()
            .that()
            .resideInAPackage("io.telechat.cuda.driver")
            .should()
            .dependOnClassesThat(resideInAPackage("io.telechat..")
                    .and(not(resideInAnyPackage("io.telechat.cuda.driver", "io.telechat.core", CORE + "ffi"))));

    @ArchTest
    static final ArchRule functionsOfCAreLookedUpByFfiOnly =
            noClasses().should().dependOnClassesThat().haveFullyQualifiedName("java.lang.foreign.Linker");

    @ArchTest
    static final ArchRule noNd4j = noClasses().should().dependOnClassesThat().resideInAPackage("org.nd4j..");
}
