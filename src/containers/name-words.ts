/** Friendly words for generated names; any list will do, nothing depends on a particular word. */
export const ADJECTIVES: readonly string[] =
  'able agile airy alert amber ample apt arctic artful azure balanced bold brave breezy bright brisk calm candid careful cheerful civil clear clever comic copper coral cosmic cosy crisp curious daring deft dewy eager early earnest easy fair famous fearless fine firm fluent fond frank free fresh gentle glad golden graceful grand happy hardy hearty honest humble ideal jolly jovial keen kind lively logical loyal lucid lucky lunar mellow merry mighty mild modest neat nimble noble novel open patient placid plucky polite prime proud quick quiet radiant rapid ready robust rosy royal sandy serene sharp silver sincere smooth snug solar solid spry stable steady stout sunny sure swift tidy trusty upbeat valiant vivid warm wise witty young zesty'.split(
    ' ',
  );

/** Surnames of people of science, engineering and mathematics. */
export const SURNAMES: readonly string[] =
  'abel agnesi alhazen ampere archimedes avogadro babbage banach banneker bell bernoulli bohr boole born bose brahe brahmagupta cantor carnot carson cauchy cavendish celsius clarke copernicus coulomb curie dalton darwin descartes dijkstra dirac edison einstein engelbart erdos euclid euler faraday fermat fermi feynman fibonacci fourier franklin galileo galois gauss germain goddard goedel goodall hamilton harvey heisenberg herschel hertz hilbert hodgkin hopper hubble huygens hypatia jenner johnson joule kepler khayyam knuth kovalevskaya lagrange lamarr laplace lavoisier leavitt leibniz linnaeus lovelace mandelbrot maxwell mayer mcclintock meitner mendel mendeleev mirzakhani moore morse napier newton nobel noether ohm pascal pasteur pauli planck poincare ptolemy pythagoras raman ramanujan riemann ritchie roentgen rutherford sagan salk shannon snell somerville stokes tesla thales torricelli turing volta watt weierstrass wiles wing yalow yonath zeno'.split(
    ' ',
  );
