# cmake -DBUILD=<build tree> -DWORK=<scratch> -DCXX=<compiler> -P check.cmake: installs the build tree under
# WORK, builds the project beside this file against what was installed, and runs it.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE said ERROR_VARIABLE said)
  list(JOIN ARGN " " words)
  if(NOT code EQUAL 0)
    message(NOTICE "$ ${words}\n${said}")
    message(FATAL_ERROR "ended with ${code}")
  endif()
  set(said "${said}" PARENT_SCOPE)
endfunction()

function(expect wanted)
  run(${ARGN})
  if(NOT said STREQUAL wanted)
    list(JOIN ARGN " " words)
    message(NOTICE "$ ${words}\n${said}")
    message(FATAL_ERROR "expected: ${wanted}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${WORK}/build -G Ninja
    -DCMAKE_PREFIX_PATH=${WORK}/prefix -DCMAKE_CXX_COMPILER=${CXX})
run(${CMAKE_COMMAND} --build ${WORK}/build)
expect("upstream\ndownstream\n" ${WORK}/build/consumer ${CMAKE_CURRENT_LIST_DIR}/topology.toml)
expect("it\\'s\n" ${WORK}/build/quote)
run(${WORK}/prefix/bin/stemma --version)
file(REMOVE_RECURSE ${WORK})
