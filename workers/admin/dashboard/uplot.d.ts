// The server serves the module of the package under this name: browsers can't resolve the name of a package.
export { default } from 'uplot'
