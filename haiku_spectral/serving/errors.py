"""How a request is refused: a status code and one line, in the form that OpenAI's clients know."""

import http
from typing import Any

# The kinds of error that clients tell apart.
_TYPES = {
    http.HTTPStatus.UNAUTHORIZED: 'authentication_error',
    http.HTTPStatus.NOT_FOUND: 'not_found_error',
    http.HTTPStatus.CONFLICT: 'conflict_error',
    http.HTTPStatus.SERVICE_UNAVAILABLE: 'overloaded_error',
    http.HTTPStatus.INSUFFICIENT_STORAGE: 'storage_error',
    http.HTTPStatus.INTERNAL_SERVER_ERROR: 'server_error',
}


class ApiError(Exception):
  """A request that is not served. `param` names the field that is wrong."""

  def __init__(self, status: http.HTTPStatus, message: str, *, param: str | None = None) -> None:
    super().__init__(message)
    self.status, self.message, self.param = status, message, param

  @property
  def body(self) -> dict[str, Any]:
    """What is sent."""
    return {'error': {
        'message': self.message, 'type': _TYPES.get(self.status, 'invalid_request_error'),
        'param': self.param, 'code': self.status.name.lower()}}


def bad_request(message: str, param: str | None = None) -> ApiError:
  """400: the request itself is wrong."""
  return ApiError(http.HTTPStatus.BAD_REQUEST, message, param=param)


def not_allowed(field: str, value: object, allowed: str) -> ApiError:
  """400 for the value of a field."""
  return bad_request(f'{field}={value!r:.100} is not allowed: give {allowed}.', field)


def not_found(message: str) -> ApiError:
  """404."""
  return ApiError(http.HTTPStatus.NOT_FOUND, message)


def conflict(message: str) -> ApiError:
  """409: it contradicts what is there or going on."""
  return ApiError(http.HTTPStatus.CONFLICT, message)


def overloaded(message: str) -> ApiError:
  """503: later it may be possible."""
  return ApiError(http.HTTPStatus.SERVICE_UNAVAILABLE, message)


def storage_full(message: str) -> ApiError:
  """507: there is no place for another session."""
  return ApiError(http.HTTPStatus.INSUFFICIENT_STORAGE, message)
